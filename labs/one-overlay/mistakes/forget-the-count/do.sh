printf 'resources: [../base]\nnamespace: small\n' > ~/web/small/kustomization.yaml
kubectl create namespace small
kubectl apply -k ~/web/small
