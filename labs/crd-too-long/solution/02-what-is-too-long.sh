head -20 ~/kserve/inferenceservice-crd.yaml
# answer: culprit = copy
# answer: limit = 262144
