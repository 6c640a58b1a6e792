kubectl get prioritylevelconfigurations
kubectl get flowschemas
# answer: level = spare-the-node
