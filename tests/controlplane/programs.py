"""Where the programs of a control plane are.  As a command: whether the machine brings its own."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tests.peers import CACHE

NAMES = ("etcd", "kube-apiserver", "kube-controller-manager")
HOW = (
    "no control plane: install Go and run `make control-plane`, or name in KUBEBUILDER_ASSETS a "
    f"folder with {', '.join(NAMES[:-1])} and {NAMES[-1]}"
)

Programs = dict[str, Path]


def find() -> Programs | None:
    """Those of the machine, else those that we have built."""
    return of_the_machine() or all_in(str(CACHE))


def of_the_machine() -> Programs | None:
    return all_in(os.environ.get("KUBEBUILDER_ASSETS")) or all_in(os.environ.get("PATH"))


def all_in(folders: str | None) -> Programs | None:
    """All from one place or none, so that their versions fit."""
    found = {name: shutil.which(name, path=folders) for name in NAMES} if folders else {}
    paths = {name: Path(path) for name, path in found.items() if path}
    return paths if len(paths) == len(NAMES) else None


if __name__ == "__main__":
    sys.exit(of_the_machine() is None)
