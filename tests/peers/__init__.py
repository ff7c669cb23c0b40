"""Where the programs are that `make peers` builds, and what a test says that misses one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tke-direct" / "peers"
KUSTOMIZES = ("kustomize-5.4", "kustomize-5.6", "kustomize-5.8")


def peer(name: str) -> Path:
    """The program `name`, whether it is there or not."""
    return CACHE / name


def needs(name: str) -> pytest.MarkDecorator:
    """Skips a test where `name` has not been built."""
    # Not above: benchmarks come here too, and the peak memory of what they start, as Linux counts
    # it, is at least their own.
    import pytest

    return pytest.mark.skipif(
        not peer(name).exists(), reason=f"{name} is missing: install Go, then `make peers`"
    )
