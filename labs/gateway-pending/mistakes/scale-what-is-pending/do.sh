kubectl scale deployment workflow-controller -n kubeflow --replicas=0
