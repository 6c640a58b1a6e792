docker pull gcr.io/ml-pipeline/mysql:8.0.26
