sed -i 's#rent/v1#sale/v1#' ~/rent.yaml
kubectl apply -f ~/rent.yaml
