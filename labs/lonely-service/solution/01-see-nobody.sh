kubectl get endpoints web -n shop
kubectl describe service web -n shop
