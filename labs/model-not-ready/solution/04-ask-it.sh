kubectl port-forward -n rental service/rent-predictor 8081:80 > ~/forward.log &
curl -sS --retry 9 --retry-connrefused http://localhost:8081/v1/models/rent:predict -d '{"instances": [[2, 60]]}'
# answer: rent = 44
kill %1
