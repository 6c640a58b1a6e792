kubectl get configmap pipeline-api-server-config-dc9hkg52h6 -n kubeflow -o yaml > map.yaml
kubectl replace --force -f map.yaml
