kubectl rollout restart deployment metadata-grpc-deployment -n kubeflow
