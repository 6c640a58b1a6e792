kubectl delete pod -n shop -l app=hungry
