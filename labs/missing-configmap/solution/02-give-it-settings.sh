kubectl create configmap report-settings -n shop --from-literal=currency=TWD
kubectl wait pod -n shop -l app=report --for=condition=Ready --timeout=60s
