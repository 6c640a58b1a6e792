kubectl get deployment web -n shop -o wide
# answer: image = nginx:1.72
