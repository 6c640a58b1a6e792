mkdir -p ~/web/small
sed -i 's/replicas: 3/replicas: 1/' ~/web/base/deployment.yaml
printf 'resources: [../base]\nnamespace: small\n' > ~/web/small/kustomization.yaml
