"""A real Kubernetes control plane on loopback, and nodes whose Pods are HTTP servers in a thread.

`fixtures.py` has what a test asks for.  `python -m tests.controlplane` starts one by hand.
"""
