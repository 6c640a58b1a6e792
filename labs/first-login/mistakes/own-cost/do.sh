HASH=$(kubectl run hash --rm -i --quiet --restart=Never --image=httpd:2.4-alpine -- htpasswd -nbB user 'a better one' | cut -d: -f2)
kubectl create secret generic dex-passwords -n auth --from-literal=DEX_USER_PASSWORD="$HASH" --dry-run=client -o yaml | kubectl apply -f -
