kubectl get configmap -n kubeflow
# answer: which-case = unfetched
