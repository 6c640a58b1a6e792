kubectl describe pvc mysql-pv-claim -n kubeflow
# answer: class = premium-rwo
