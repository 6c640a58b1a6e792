kubectl patch pytorchjob forecast -n weather --type=merge -p '{"spec":{"pytorchReplicaSpecs":{"Worker":{"replicas":1}}}}'
