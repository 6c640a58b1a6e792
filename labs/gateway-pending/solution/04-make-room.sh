kubectl scale deployment ml-pipeline -n kubeflow --replicas=0
kubectl wait pod -n istio-system -l app=istio-ingressgateway --for=condition=Ready --timeout=60s
