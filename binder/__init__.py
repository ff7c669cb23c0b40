"""The binder: binds Pods to CLB listeners, and confirms the gate when CLB serves them."""
