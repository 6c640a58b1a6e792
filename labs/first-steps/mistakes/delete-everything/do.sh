kubectl delete namespace learn --wait=false
