kubectl create clusterrole kserve-controller-manager-role --verb=get,list,watch,create,update,patch,delete --resource=inferenceservices.serving.kserve.io,trainedmodels.serving.kserve.io,inferencegraphs.serving.kserve.io
kubectl create clusterrolebinding kserve-controller-manager-rolebinding --clusterrole=kserve-controller-manager-role --serviceaccount=kubeflow:kserve-controller-manager
kubectl delete pod -n kubeflow -l app=kserve
