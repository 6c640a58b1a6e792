kubectl run hello --image=nginx:1.72 -n learn
