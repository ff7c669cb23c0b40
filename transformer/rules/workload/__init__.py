"""Rules about what makes Pods: Deployments, StatefulSets and the other workload kinds."""
