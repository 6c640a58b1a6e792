kubectl delete pod forecast-worker-1 -n weather
