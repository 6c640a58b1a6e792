kubectl describe clusterrolebinding kserve-manager-rolebinding
# answer: whose = kserve
