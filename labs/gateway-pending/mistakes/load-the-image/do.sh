minikube image load docker.io/istio/proxyv2:1.23.2
kubectl delete pod -n istio-system -l app=istio-ingressgateway
