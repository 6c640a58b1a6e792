kubectl set resources deployment hungry -n shop --limits=memory=65Gi
