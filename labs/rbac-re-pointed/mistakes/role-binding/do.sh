kubectl create rolebinding kserve-manager -n kubeflow --clusterrole=kserve-manager-role --serviceaccount=kubeflow:kserve-controller-manager
