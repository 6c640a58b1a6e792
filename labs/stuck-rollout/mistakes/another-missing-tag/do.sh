kubectl set image deployment web -n shop web=nginx:1.99
