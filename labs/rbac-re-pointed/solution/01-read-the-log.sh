sleep 11
kubectl logs -n kubeflow deployment/kserve-controller-manager -c manager | grep forbidden
