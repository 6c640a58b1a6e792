kubectl describe pod -n kubeflow -l app=ml-pipeline
