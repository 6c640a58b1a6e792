kubectl create configmap report-settings -n shop --from-literal=Currency=TWD
