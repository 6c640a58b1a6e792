kubectl apply --server-side -f ~/kserve/inferenceservice-crd.yaml
kubectl wait --for=condition=Established crd/inferenceservices.serving.kserve.io --timeout=30s
