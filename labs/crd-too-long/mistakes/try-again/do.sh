for i in 1 2; do kubectl apply -f ~/kserve/inferenceservice-crd.yaml || echo "Retrying to apply resources"; sleep 1; done
