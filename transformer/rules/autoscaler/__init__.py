"""Rules about HorizontalPodAutoscalers."""
