"""The adapter to Kubernetes: what is there, and the little that is written back."""
