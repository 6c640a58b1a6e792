kubectl get service web -n shop -o wide
# answer: selector = wbe
