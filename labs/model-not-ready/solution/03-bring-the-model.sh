kubectl exec -n rental deployment/store -- ls -R /usr/share/nginx/html
sed -i 's#rent/v1#rent/v2#' ~/rent.yaml
kubectl apply -f ~/rent.yaml
kubectl wait inferenceservice rent -n rental --for=condition=Ready --timeout=60s
