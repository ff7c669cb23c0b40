"""``python -m transformer`` is ``tke-direct``."""

from transformer.cli import console

console()
