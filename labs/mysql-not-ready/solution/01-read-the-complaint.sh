kubectl logs -n kubeflow deployment/metadata-grpc-deployment --previous | grep MySQL
