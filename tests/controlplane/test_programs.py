"""Where the programs are looked for, and what is said where they are not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.controlplane import programs


def install(folder: Path, *names: str) -> str:
    folder.mkdir()
    for name in names:
        (folder / name).touch(mode=0o755)
    return str(folder)


def test_those_of_the_machine_come_first_and_all_from_one_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = install(tmp_path / "assets", *programs.NAMES)
    path = install(tmp_path / "path", *programs.NAMES)
    monkeypatch.setattr(programs, "CACHE", install(tmp_path / "cache", *programs.NAMES))
    # As envtest ships it.
    partial = install(tmp_path / "partial", "etcd", "kube-apiserver", "kubectl")

    def place(assets: str, path: str) -> str:
        monkeypatch.setenv("KUBEBUILDER_ASSETS", assets)
        monkeypatch.setenv("PATH", path)
        (folder,) = {path.parent.name for path in (programs.find() or {}).values()}
        return folder

    assert place(assets, path) == "assets"
    assert place(partial, path) == "path"
    assert place(partial, partial) == "cache"


def test_without_them_one_line_says_how_to_get_them(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "cluster", __file__]
        + [str(Path(__file__).with_name(name)) for name in ("test_plane.py", "test_pods.py")],
        cwd=ROOT,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path), "KUBEBUILDER_ASSETS": "", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.count(programs.HOW) == 1
