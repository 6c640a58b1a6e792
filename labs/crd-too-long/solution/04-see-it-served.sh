kubectl get isvc -A
