kubectl get nodes
# answer: version = v1.36.2
