kubectl patch service web -n shop --type=merge -p '{"spec":{"selector":{"app":"web"},"ports":[{"port":80,"targetPort":8080}]}}'
