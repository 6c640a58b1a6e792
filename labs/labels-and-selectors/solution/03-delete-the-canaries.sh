kubectl delete pods -n shop -l stage=canary
