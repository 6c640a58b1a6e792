kubectl get nodes
# answer: version = (as the cluster says)
