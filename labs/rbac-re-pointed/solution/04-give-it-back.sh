kubectl patch clusterrolebinding kserve-manager-rolebinding --type=json -p '[{"op":"replace","path":"/subjects/0/namespace","value":"kubeflow"}]'
kubectl auth can-i list inferenceservices.serving.kserve.io -A --as=system:serviceaccount:kubeflow:kserve-controller-manager
