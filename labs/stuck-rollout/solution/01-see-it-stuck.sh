kubectl get pods -n shop
# answer: cause = image
