"""What the Kubernetes API itself would refuse; transformer/structure.py reports it."""
