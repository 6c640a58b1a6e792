kubectl run gateway -n istio-system --image=nginx:1.27 --labels=app=istio-ingressgateway
kubectl wait pod gateway -n istio-system --for=condition=Ready --timeout=30s
