kubectl create secret generic dex-passwords -n auth --from-literal=DEX_USER_PASSWORD='a better one' --dry-run=client -o yaml | kubectl apply -f -
