kubectl create clusterrolebinding reporter-views --clusterrole=view --serviceaccount=shop:reporter
