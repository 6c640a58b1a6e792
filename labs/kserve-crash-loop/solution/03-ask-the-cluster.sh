kubectl api-resources --api-group=serving.kserve.io
