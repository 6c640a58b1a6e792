kubectl describe pod -n shop -l app=report
# answer: which = report-settings
