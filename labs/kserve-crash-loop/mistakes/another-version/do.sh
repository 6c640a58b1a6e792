sed 's/name: v1beta1/name: v1alpha2/' ~/kserve/inferenceservice-crd.yaml > ~/other.yaml
kubectl create -f ~/other.yaml
