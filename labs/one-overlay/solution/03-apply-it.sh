kubectl create namespace small
kubectl apply -k ~/web/small
kubectl rollout status deployment web -n small --timeout=60s
