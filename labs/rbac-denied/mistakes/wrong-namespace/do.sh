kubectl create role pod-reader -n shop-test --verb=list --resource=pods
kubectl create rolebinding reporter-reads -n shop-test --role=pod-reader --serviceaccount=shop:reporter
