kubectl logs forecast-master-0 -n weather
