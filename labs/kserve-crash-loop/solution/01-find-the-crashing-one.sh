kubectl get pods -n kubeflow
# answer: who = localmodel
