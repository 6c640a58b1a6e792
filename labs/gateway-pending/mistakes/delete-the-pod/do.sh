kubectl delete pod -n istio-system -l app=istio-ingressgateway
