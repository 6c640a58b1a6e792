kubectl scale deployment hungry -n shop --replicas=0
kubectl set resources deployment hungry -n shop --requests=memory=128Mi
