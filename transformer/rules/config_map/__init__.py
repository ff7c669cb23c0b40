"""Rules about the ConfigMap that switches TKE's service controller."""
