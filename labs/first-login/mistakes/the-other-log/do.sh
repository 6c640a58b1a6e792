kubectl logs -n oauth2-proxy -l app.kubernetes.io/name=oauth2-proxy
