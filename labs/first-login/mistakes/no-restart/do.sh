kubectl port-forward svc/istio-ingressgateway -n istio-system :80 > door &
until grep -q Forwarding door; do sleep 0.2; done
DOOR=http://localhost:$(sed -n 's/.*127.0.0.1:\([0-9]*\) .*/\1/p' door)
rm -f jar
FORM=$(curl -sL -c jar -b jar -o /dev/null -w '%{url_effective}' "$DOOR/oauth2/start?rd=/")
curl -sL -c jar -b jar -d login=user@example.com -d password=12341234 "$FORM" | grep dd
kill $!
