kubectl get endpoints mysql -n kubeflow
kubectl get pods -n kubeflow -l app=mysql -o wide
# answer: endpoints = 0
# answer: stuck = scheduling
