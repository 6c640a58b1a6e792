kubectl apply -f ~/kserve/inferenceservice-crd.yaml
