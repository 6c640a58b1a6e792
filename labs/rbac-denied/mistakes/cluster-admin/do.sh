kubectl create rolebinding reporter-all -n shop --clusterrole=admin --serviceaccount=shop:reporter
