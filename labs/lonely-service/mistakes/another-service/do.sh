kubectl describe service
