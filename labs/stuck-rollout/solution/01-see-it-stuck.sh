until kubectl get pods -n shop | grep -qE 'ErrImagePull|ImagePullBackOff'; do sleep 1; done
kubectl get pods -n shop
# answer: cause = image
