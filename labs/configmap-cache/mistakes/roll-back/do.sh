kubectl rollout undo deployment ml-pipeline -n kubeflow
