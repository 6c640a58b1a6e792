kubectl delete pod -n kubeflow -l app=ml-pipeline --field-selector status.phase=Pending
