kubectl create clusterrolebinding kserve-all --clusterrole=cluster-admin --serviceaccount=kubeflow:kserve-controller-manager
