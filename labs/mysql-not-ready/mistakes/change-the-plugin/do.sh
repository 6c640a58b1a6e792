kubectl patch deployment mysql -n kubeflow --type=json -p '[{"op":"replace","path":"/spec/template/spec/containers/0/args","value":["--datadir","/var/lib/mysql"]}]'
