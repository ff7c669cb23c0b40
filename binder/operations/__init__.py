"""What operators see of a running binder: metrics, health, logs."""
