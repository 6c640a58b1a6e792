kubectl delete pod -n kubeflow -l app=mysql
