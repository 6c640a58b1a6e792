kubectl rollout restart deployment web -n shop
