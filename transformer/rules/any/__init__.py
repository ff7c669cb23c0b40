"""Rules about every object."""
