kubectl describe rolebinding -n shop
# answer: whose = shop-test
