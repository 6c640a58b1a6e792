kubectl logs -n rental deployment/rent-predictor -c storage-initializer --previous
# answer: meaning = no-file
