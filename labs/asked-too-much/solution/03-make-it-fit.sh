kubectl set resources deployment hungry -n shop --requests=memory=128Mi
kubectl rollout status deployment hungry -n shop --timeout=60s
