kubectl run hello --image=nginx:1.27 -n learn
kubectl wait pod hello -n learn --for=condition=Ready --timeout=60s
