kubectl delete pod -n shop -l app=web --field-selector=status.phase=Pending
