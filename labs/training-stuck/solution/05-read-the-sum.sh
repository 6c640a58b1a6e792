kubectl logs forecast-worker-1 -n weather
