kubectl logs hello -n learn
