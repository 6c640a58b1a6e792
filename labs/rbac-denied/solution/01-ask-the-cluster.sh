kubectl auth can-i list pods -n shop --as=system:serviceaccount:shop:reporter
