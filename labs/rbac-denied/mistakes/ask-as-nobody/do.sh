kubectl auth can-i list pods -n shop --as=reporter
