sed -i 's/cpu: "2"/cpu: 500m/' ~/forecast.yaml
kubectl apply -f ~/forecast.yaml
