kubectl rollout undo deployment web -n shop
kubectl rollout status deployment web -n shop --timeout=60s
