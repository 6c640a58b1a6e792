mkdir -p ~/web/small
kubectl create namespace small
kubectl create deployment web -n small --image=nginx:1.26
kubectl apply -k ~/web/base
