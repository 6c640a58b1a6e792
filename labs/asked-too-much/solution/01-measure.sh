minikube addons enable metrics-server
kubectl rollout status deployment metrics-server -n kube-system --timeout=60s
kubectl wait apiservice v1beta1.metrics.k8s.io --for=condition=Available --timeout=60s
kubectl top node
