kubectl apply --validate=false -f ~/kserve/inferenceservice-crd.yaml
