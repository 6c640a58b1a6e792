# answer: short = memory
kubectl describe pod -n shop -l app=hungry
