kubectl create namespace learn
