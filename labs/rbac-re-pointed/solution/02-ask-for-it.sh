kubectl auth can-i list inferenceservices.serving.kserve.io -A --as=system:serviceaccount:kubeflow:kserve-controller-manager
