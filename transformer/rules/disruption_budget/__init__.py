"""Rules about PodDisruptionBudgets."""
