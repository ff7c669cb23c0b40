"""The commands, thin: what ``cli.py`` calls."""
