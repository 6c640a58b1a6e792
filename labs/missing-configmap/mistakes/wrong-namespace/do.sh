kubectl create configmap report-settings --from-literal=currency=TWD
