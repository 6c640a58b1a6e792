kubectl get pod hello -n learn -o yaml > ~/hello.yaml
