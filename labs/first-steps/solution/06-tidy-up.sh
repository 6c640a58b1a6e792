kubectl delete pod hello -n learn --grace-period=1
