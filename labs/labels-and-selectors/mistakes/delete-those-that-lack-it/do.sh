kubectl label pod back-c -n shop team=data
kubectl delete pod back-a back-b -n shop
