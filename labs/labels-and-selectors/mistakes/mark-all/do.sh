kubectl label pods -n shop --all team=data
