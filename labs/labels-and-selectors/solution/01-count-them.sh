kubectl get pods -n shop -l tier=back
# answer: how-many = 3
