kubectl kustomize ~/web/base
