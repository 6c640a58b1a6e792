kubectl delete pvc mysql-pv-claim -n kubeflow
printf '%s\n' 'apiVersion: v1' 'kind: PersistentVolumeClaim' 'metadata: { name: mysql-pv-claim, namespace: kubeflow }' 'spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 20Gi } } }' > claim.yaml
kubectl apply -f claim.yaml
kubectl wait pod -n kubeflow -l app=mysql --for=condition=Ready --timeout=60s
