"""Rules about Services and Ingresses alike."""
