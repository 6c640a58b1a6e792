kubectl delete pods -n shop --all
