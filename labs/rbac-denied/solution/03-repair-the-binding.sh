kubectl create rolebinding reporter-reads-shop -n shop --role=pod-reader --serviceaccount=shop:reporter
