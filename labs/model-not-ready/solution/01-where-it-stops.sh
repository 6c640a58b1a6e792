kubectl get inferenceservices,pods -n rental
# answer: container = storage-initializer
