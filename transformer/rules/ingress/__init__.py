"""Rules about Ingresses."""
