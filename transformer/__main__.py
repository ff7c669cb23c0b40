"""``python -m transformer`` is ``tke-direct``."""

from transformer.console import console

console()
