kubectl label pods -n shop -l stage=canary stage-
