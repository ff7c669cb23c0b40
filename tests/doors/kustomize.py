"""kustomize as people run it: the real programs, in the versions that are about, on a machine that
has tke-direct-fn in every way in which kustomize can be told to call it.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.conftest import COMMAND, ROOT, Result, tke_direct
from tests.peers import KUSTOMIZES, needs, peer
from transformer.tree import parse
from transformer.values import Value, plain

EXAMPLES = ROOT / "kustomize-plugin"
FUNCTION = Path(COMMAND[0]).with_name("tke-direct-fn")

EXEC, CONTAINER, LEGACY = "exec", "container", "legacy"

# How a functionConfig says by which door it wants to be called.
_ANNOTATION = {
    EXEC: 'config.kubernetes.io/function: "exec: {path: tke-direct-fn}"',
    CONTAINER: "config.kubernetes.io/function: \"container: {image: 'tke-direct/fn:0.1.0'}\"",
}

# All that kustomize ever asks of docker.  Whoever is called otherwise says so and fails.
_DOCKER_CALL = (
    "run --rm -i -a STDIN -a STDOUT -a STDERR --network none --user nobody "
    "--security-opt=no-new-privileges -e LOG_TO_STDERR=true -e STRUCTURED_RESULTS=true "
    "tke-direct/fn:0.1.0"
)
_DOCKER = """\
#!/bin/sh
# Stands in for docker: the image has the program, and nothing of the environment around.
if [ "$*" != {call} ]; then
    echo "docker was called otherwise: $*" >&2
    exit 125
fi
exec env -i {environment} {program}
"""


class Kustomize(NamedTuple):
    """A kustomize: the name we know it by, and the command that builds a folder."""

    name: str
    command: tuple[str, ...]
    doors: tuple[str, ...]

    def __str__(self) -> str:
        return self.name


def kustomize(name: str) -> Kustomize:
    """The program `name`: one that `make peers` builds, or ``kubectl``."""
    if name == "kubectl":
        return Kustomize(name, ("kubectl", "kustomize"), (CONTAINER, LEGACY))
    return Kustomize(name, (str(peer(name)), "build"), (EXEC, CONTAINER, LEGACY))


def needed(name: str) -> pytest.MarkDecorator:
    """Skips a test where the program `name` is missing."""
    if name == "kubectl":
        return pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is missing")
    return needs(name)


EVERY_NAME = (*KUSTOMIZES, "kubectl")
NEWEST = KUSTOMIZES[-1]

# Parameters: every kustomize, those that can run exec functions, and each with each of its doors.
EVERY = [pytest.param(kustomize(name), marks=needed(name), id=name) for name in EVERY_NAME]
WITH_EXEC = [pytest.param(kustomize(name), marks=needed(name), id=name) for name in KUSTOMIZES]
DOORS = [
    pytest.param(kustomize(name), door, marks=needed(name), id=f"{name}-{door}")
    for name in EVERY_NAME
    for door in kustomize(name).doors
]

# Every kustomize and every door at least once, for what is alike in all of them.
SOME_DOORS = [
    pytest.param(kustomize(name), door, marks=needed(name), id=f"{name}-{door}")
    for name, door in zip(EVERY_NAME, (EXEC, CONTAINER, EXEC, LEGACY))
]


def flags(door: str) -> list[str]:
    """What kustomize wants to be told before it uses `door`."""
    return ["--enable-alpha-plugins", *(["--enable-exec"] if door == EXEC else [])]


class Machine:
    """A machine on which tke-direct is installed, somebody's docker runs, and kustomize is called.

    What was built once is not built again.
    """

    def __init__(self, folder: Path) -> None:
        assert FUNCTION.exists(), f"{FUNCTION} is missing: make setup"
        self.folder = folder
        (folder / ".git").mkdir()  # the look-up of configuration stops here
        self.bin = folder / "bin"
        here = {} if "TKE_DIRECT" in os.environ else {"PYTHONPATH": str(ROOT)}
        program(
            self.bin / "docker",
            _DOCKER.format(
                call=shlex.quote(_DOCKER_CALL),
                environment=" ".join(f"{name}={shlex.quote(it)}" for name, it in here.items()),
                program=shlex.quote(str(FUNCTION)),
            ),
        )
        home = folder / "plugins"
        installed = tke_direct("install-plugin", "--home", home, cwd=folder)
        assert installed.returncode == 0, installed.stderr.decode()
        self.environment = {
            "PATH": f"{self.bin}:{FUNCTION.parent}:{os.environ['PATH']}",
            "HOME": str(folder),
            "KUSTOMIZE_PLUGIN_HOME": str(home),
            **here,
        }
        self._built: dict[tuple[object, ...], Result] = {}
        self._piped: dict[bytes, Result] = {}

    def build(self, by: Kustomize, folder: Path, *options: str, **environment: str) -> Result:
        """``kustomize build`` of `folder`."""
        key = (by, folder, options, tuple(environment.items()))
        if key not in self._built:
            self._built[key] = self.call([*by.command, *options, str(folder)], **environment)
        return self._built[key]

    def call(self, command: Iterable[str | Path], **environment: str) -> Result:
        """Any command, with the environment of this machine."""
        return subprocess.run(
            list(map(str, command)),
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            check=False,
        )

    def pipe(self, stream: bytes, mode: str = "mixed") -> Result:
        """What ``| tke-direct transform -`` makes of `stream`."""
        if stream not in self._piped:
            self._piped[stream] = tke_direct(
                "transform", "-m", mode, "-", cwd=self.folder, stdin=stream
            )
        return self._piped[stream]

    def lint(self, stream: bytes, *options: str) -> Result:
        """What ``| tke-direct lint -`` says of `stream`."""
        return tke_direct("lint", "-m", "mixed", *options, "-", cwd=self.folder, stdin=stream)

    def pipe_of(self, by: Kustomize, folder: Path) -> bytes:
        """``kustomize build FOLDER | tke-direct transform -``: what every door has to give."""
        return succeeded(self.pipe(succeeded(self.build(by, folder))))

    def door_of(self, by: Kustomize, door: str, folder: Path) -> Result:
        """The build of `folder`, which has a function that is called by `door`."""
        return self.build(by, folder, *flags(door))


def program(path: Path, text: str) -> Path:
    """Put an executable at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def succeeded(result: Result) -> bytes:
    """The output of a program that has to succeed."""
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Write `files` into `folder`; the folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return folder


def function_config(
    door: str, spec: str = "networkMode: mixed", kind: str = "DirectAccess", name: str = "direct"
) -> str:
    """A functionConfig of ours, for kustomize to find us by `door`."""
    annotation = _ANNOTATION.get(door, "")
    return (
        f"apiVersion: tke-direct.dev/v1alpha1\nkind: {kind}\nmetadata:\n  name: {name}\n"
        f"{f'  annotations:{chr(10)}    {annotation}{chr(10)}' if annotation else ''}"
        f"spec: {{{spec}}}\n"
    )


def with_function(
    folder: Path, to: Path, *configs: str, field: str = "transformers", top: str = "."
) -> Path:
    """A copy of `folder` at `to`, whose kustomization in `top` lists `configs`; that one's folder.

    Without `configs` the door is whatever stands there already.
    """
    shutil.copytree(folder, to)
    place = to / top
    names = [f"tke-direct-{number}.yaml" for number, _ in enumerate(configs)]
    write(place, dict(zip(names, configs)))
    own = place / "kustomization.yaml"
    listed = f"{field}: [{', '.join(names)}]\n" if names else ""
    own.write_text(f"{own.read_text(encoding='utf-8')}\n{listed}", encoding="utf-8")
    return place


def without_functions(kustomization: Path) -> None:
    """Take the transformers, which stand last, out of a kustomization."""
    text = kustomization.read_text(encoding="utf-8")
    kept, found, _ = text.partition("transformers:\n")
    assert found, f"{kustomization} has no transformers"
    kustomization.write_text(kept, encoding="utf-8")


@lru_cache(maxsize=256)
def objects(stream: bytes) -> list[Value]:
    """The objects of a stream, in order, as Kubernetes reads them."""
    return [plain(root) for root in parse(stream.decode()).roots]


def names(stream: bytes) -> list[str]:
    """``Kind name`` or ``Kind namespace/name`` of each object of a stream, in order."""
    return list(map(_name, objects(stream)))


def named(stream: bytes) -> dict[str, Any]:
    """The objects of a stream by ``Kind name`` or ``Kind namespace/name``."""
    found = dict(zip(names(stream), objects(stream)))
    assert len(found) == len(objects(stream)), "two of them have the same name"
    return found


def _name(one: Any) -> str:
    metadata = one["metadata"]
    place = [metadata["namespace"]] if "namespace" in metadata else []
    return f"{one['kind']} {'/'.join([*place, metadata['name']])}"


def documents(stream: bytes) -> list[bytes]:
    """The documents of a stream as kustomize wrote them."""
    return re.split(rb"^---\n", stream, flags=re.MULTILINE)


def provenance() -> list[str]:
    """Which kustomizes there are, and where they are from: a line each, for the end of a run."""
    found = []
    for name in EVERY_NAME:
        if name == "kubectl":
            place = shutil.which("kubectl")
            said = _said("kubectl", "version", "--client") if place else ""
            origin = f"found on the PATH, {place}"
        else:
            place = str(peer(name)) if peer(name).exists() else None
            said = _said(place, "version") if place else ""
            origin = f"built from tests/peers/{name}/go.mod, {_pinned(name)}"
        found.append(f"{name}: {said}, {origin}" if place else f"{name}: missing, not tested")
    return found


def _said(*command: str) -> str:
    output = subprocess.run(command, capture_output=True, check=False, text=True).stdout
    return ", ".join(output.split("\n")).strip(", ")


def _pinned(name: str) -> str:
    text = (ROOT / "tests" / "peers" / name / "go.mod").read_text(encoding="utf-8")
    module = "sigs.k8s.io/kustomize/kustomize/v5"
    found = re.search(rf"{module} (v\S+)", text)
    return f"{module}@{found[1]}" if found else module
