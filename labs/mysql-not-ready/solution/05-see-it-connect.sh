kubectl rollout restart deployment metadata-grpc-deployment -n kubeflow
kubectl rollout status deployment metadata-grpc-deployment -n kubeflow --timeout=60s
sleep 10
kubectl logs -n kubeflow deployment/metadata-grpc-deployment
