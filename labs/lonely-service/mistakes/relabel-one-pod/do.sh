kubectl run wbe --image=nginx:1.27 -n shop --port=80 --labels=app=wbe
kubectl patch service web -n shop -p '{"spec":{"ports":[{"port":80,"targetPort":80}]}}'
