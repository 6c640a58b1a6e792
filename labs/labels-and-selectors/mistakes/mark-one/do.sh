kubectl label pod back-a -n shop team=data
