kubectl auth can-i list inferenceservices.serving.kserve.io -A --as=kserve-controller-manager
