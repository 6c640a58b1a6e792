kubectl logs -n kubeflow deployment/kserve-localmodel-controller-manager --previous
# answer: kind = InferenceService
