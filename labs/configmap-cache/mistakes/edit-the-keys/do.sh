kubectl patch configmap pipeline-api-server-config-dc9hkg52h6 -n kubeflow -p '{"data":{"bucketName":"mlpipeline","dbHost":"mysql.kubeflow.svc.cluster.local","dbPort":"3306","pipelineDb":"mlpipeline"}}'
kubectl rollout restart deployment ml-pipeline -n kubeflow
