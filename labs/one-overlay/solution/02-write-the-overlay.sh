mkdir -p ~/web/small
printf 'resources: [../base]\nnamespace: small\nreplicas: [{name: web, count: 1}]\n' > ~/web/small/kustomization.yaml
