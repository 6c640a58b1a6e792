kubectl logs deployment/report -n shop
