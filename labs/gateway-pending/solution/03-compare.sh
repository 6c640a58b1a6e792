kubectl get node minikube -o jsonpath='{.status.allocatable.memory}{"\n"}'
kubectl get pod -n istio-system -l app=istio-ingressgateway -o jsonpath='{.items[0].spec.containers[0].resources.requests.memory}{"\n"}'
# answer: allocatable = 4194300Ki
# answer: request = 128Mi
