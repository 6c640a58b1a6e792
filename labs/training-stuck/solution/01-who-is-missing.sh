kubectl get pytorchjobs,pods -n weather
# answer: who = (as the cluster says)
