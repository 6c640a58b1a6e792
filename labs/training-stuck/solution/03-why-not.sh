kubectl describe pod forecast-worker-1 -n weather
# answer: request = 2
