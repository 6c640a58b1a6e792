kubectl label pods -n shop -l tier=back team=data
