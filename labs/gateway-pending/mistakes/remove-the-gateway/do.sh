kubectl scale deployment istio-ingressgateway -n istio-system --replicas=0
