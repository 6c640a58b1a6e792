kubectl delete pod -n rental -l serving.kserve.io/inferenceservice=rent
