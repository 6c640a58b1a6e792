sed -i 's/cpu: "2"/cpu: 500m/' ~/forecast.yaml
kubectl apply -f ~/forecast.yaml
kubectl delete pod forecast-worker-1 -n weather
kubectl wait pytorchjob forecast -n weather --for=condition=Succeeded --timeout=60s
