kubectl auth can-i list pods --as=system:serviceaccount:shop:reporter
