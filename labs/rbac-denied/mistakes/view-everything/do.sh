kubectl create rolebinding reporter-views -n shop --clusterrole=view --serviceaccount=shop:reporter
