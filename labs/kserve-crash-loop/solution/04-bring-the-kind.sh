kubectl apply --server-side -f ~/kserve/inferenceservice-crd.yaml
kubectl rollout restart deployment kserve-localmodel-controller-manager -n kubeflow
kubectl rollout status deployment kserve-localmodel-controller-manager -n kubeflow --timeout=60s
