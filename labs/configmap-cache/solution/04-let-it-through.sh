kubectl delete flowschema node-config-reads
kubectl rollout restart deployment ml-pipeline -n kubeflow
kubectl rollout status deployment ml-pipeline -n kubeflow --timeout=80s
