"""``python -m binder`` is ``tke-direct-binder``."""

from binder.cli import console

console()
