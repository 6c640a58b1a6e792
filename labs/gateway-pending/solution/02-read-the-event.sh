kubectl describe pod -n istio-system -l app=istio-ingressgateway
# answer: answer-2 = both
