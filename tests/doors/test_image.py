"""The images, as far as they can be tried without an engine: the Dockerfile's own commands, here.

What its stage `build` makes is made in a folder, with this Python in the place of the base image's,
and run by a user without a name or a home, on a file system that nobody can write to.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import ROOT, Result, tke_direct
from tests.peers import needs, peer
from transformer import __version__

FOLDER = ROOT / "kustomize-plugin"
DOCKERFILE = FOLDER / "Dockerfile"
SHOP = FOLDER / "shop"
KUSTOMIZE = "kustomize-5.8"
NOBODY = 999


class Instruction(NamedTuple):
    stage: str
    word: str
    text: str


class Dockerfile:
    """The instructions of a Dockerfile, by stage."""

    def __init__(self, text: str) -> None:
        lines = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
        self.bases: dict[str, str] = {}
        self.instructions: list[Instruction] = []
        stage = ""
        for line in filter(None, lines.splitlines()):
            word, _, rest = line.partition(" ")
            if word == "FROM":
                base, _, stage = rest.partition(" AS ")
                self.bases[stage] = base
            else:
                self.instructions.append(Instruction(stage, word, rest.strip()))

    def all(self, stage: str, word: str) -> list[str]:
        """What follows `word` in a stage and in those that it is made from."""
        own = [one.text for one in self.instructions if (one.stage, one.word) == (stage, word)]
        base = self.bases.get(stage, "")
        return [*self.all(base, word), *own] if base in self.bases else own

    def last(self, stage: str, word: str) -> str:
        return self.all(stage, word)[-1]

    def environment(self, stage: str) -> dict[str, str]:
        words = [word for text in self.all(stage, "ENV") for word in shlex.split(text)]
        return dict(word.split("=", 1) for word in words)


FILE = Dockerfile(DOCKERFILE.read_text(encoding="utf-8"))
COPIES = [shlex.split(one.text) for one in FILE.instructions if one.word == "COPY"]
CONTEXT = [source for words in COPIES if words[0][:2] != "--" for source in words[:-1]]


# What the Dockerfile says.


@pytest.mark.parametrize("source", CONTEXT)
def test_what_is_copied_is_there_and_not_ignored(source: str) -> None:
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert (ROOT / source).exists()
    assert "*" in ignored
    assert f"!{source}" in ignored


def test_nothing_else_is_sent_to_the_engine() -> None:
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert sorted(line[1:] for line in ignored if line[:1] == "!") == sorted(CONTEXT)


def test_stages_copy_from_stages_that_are_there() -> None:
    stages = [words[0].removeprefix("--from=") for words in COPIES if words[0][:2] == "--"]
    assert stages
    assert set(stages) <= FILE.bases.keys()


def test_the_function_is_what_an_engine_starts() -> None:
    assert json.loads(FILE.last("function", "ENTRYPOINT")) == ["tke-direct-fn"]
    assert FILE.last("function", "USER") == "65532:65532"


def test_the_sidecar_is_the_default_and_starts_the_server_of_argo_cd() -> None:
    assert list(FILE.bases)[-1] == "argocd"
    assert json.loads(FILE.last("argocd", "ENTRYPOINT")) == []
    assert json.loads(FILE.last("argocd", "CMD")) == ["/var/run/argocd/argocd-cmp-server"]
    assert FILE.last("argocd", "USER") == f"{NOBODY}:{NOBODY}"
    assert "--from=kustomize /app/kustomize /usr/local/bin/kustomize" in FILE.all("argocd", "COPY")


@pytest.mark.parametrize("stage", ["function", "argocd"])
def test_the_environment_asks_for_no_home_and_no_writing(stage: str) -> None:
    environment = FILE.environment(stage)
    path = environment.pop("PATH").split(":")
    assert {"/opt/tke-direct/bin", "/usr/local/bin"} <= set(path)
    assert environment == {
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@pytest.mark.parametrize("page", ["kustomize-plugin/README.md", "docs/argocd.md"])
def test_pages_build_targets_that_are_there_with_our_version(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    calls = re.findall(r"docker build .*", text)
    assert calls
    for call in calls:
        words = shlex.split(call)
        assert ROOT / words[words.index("--file") + 1] == DOCKERFILE
        assert words[words.index("--tag") + 1].partition(":")[2] == __version__
        assert "--target" not in words or words[words.index("--target") + 1] in FILE.bases


# What it makes.


class Image:
    """The file system of the sidecar, below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._base()
        self._build()
        shutil.copy(peer(KUSTOMIZE), root / "usr/local/bin/kustomize")
        for one in ("shop", "argocd"):
            shutil.copytree(FOLDER / one, root / "repository" / one)

    def inside(self, text: str) -> str:
        """`text` with the paths of the image where they are here."""
        return re.sub(r"(?<![\w.])/(?=opt/|usr/local/|src\b)", f"{self.root}/", text)

    @property
    def environment(self) -> dict[str, str]:
        """The environment that the Dockerfile gives, and where this Python's library is."""
        made = {name: self.inside(text) for name, text in FILE.environment("argocd").items()}
        return made | {"LD_LIBRARY_PATH": str(self.root / "usr/local/lib")}

    def _base(self) -> None:
        """A Python that everybody may read, which the one of a developer often is not."""
        own, version = Path(sys.base_prefix), f"python{sysconfig.get_python_version()}"
        local = self.root / "usr" / "local"
        (local / "bin").mkdir(parents=True)
        _link(Path(own / "bin" / version).resolve(), local / "bin" / "python")
        left_out = shutil.ignore_patterns("site-packages", "test", "tests", "config-*")
        library = Path(sysconfig.get_path("stdlib"))
        shutil.copytree(library, local / "lib" / version, ignore=left_out, copy_function=_link)
        for shared in (own / "lib").glob("libpython*.so*"):
            _link(shared, local / "lib" / shared.name)

    def _build(self) -> None:
        """Do what the stage `build` does."""
        source = self.root / "src"
        source.mkdir()
        for words in map(shlex.split, FILE.all("build", "COPY")):
            for name in words[:-1]:
                _copy(ROOT / name, source / words[-1])
        path = f"{self.root}/usr/local/bin:{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {**os.environ, **self.environment, "PATH": path}
        for command in FILE.all("build", "RUN"):
            result = subprocess.run(
                ["/bin/sh", "-c", self.inside(command)],
                cwd=source,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if "Failed to establish a new connection" in result.stderr:
                pytest.skip("no package index can be reached")
            assert result.returncode == 0, result.stderr


def _link(source: Path | str, target: Path | str) -> None:
    """A copy that takes no room, where that can be."""
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copy2(source, target)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    if os.geteuid():
        pytest.skip("only root may run something as another user")
    # Not pytest's folder: others may not enter that.
    root = Path(tempfile.mkdtemp(prefix="tke-direct-image-"))
    root.chmod(0o755)
    yield Image(root)
    shutil.rmtree(root)


AS_NOBODY = (
    *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
    *("--inh-caps=-all", "--no-new-privs"),
)
READ_ONLY = ("unshare", "--mount", "sh", "-c", 'mount -o remount,bind,ro / && exec "$@"', "sh")


def refused(*command: str) -> str:
    """What a failing command says, '' for one that works."""
    if not shutil.which(command[0]):
        return f"{command[0]} is missing"
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    return tried.stderr.strip()


ENVIRONMENTS: dict[str, dict[str, str | None]] = {
    "as the image says": {},
    "without a home": {"HOME": None},
    "with nothing but a path": {
        **dict.fromkeys(("HOME", "LANG", "PYTHONUTF8", "PYTHONDONTWRITEBYTECODE")),
        "LC_ALL": "POSIX",
    },
}


@pytest.fixture(params=["as a stranger", "on a read-only root"])
def prefix(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """How to run a program so."""
    if request.param == "as a stranger":
        found: tuple[str, ...] = AS_NOBODY
    else:
        found = (*READ_ONLY, *AS_NOBODY)
    if why := refused(*found, "true"):
        pytest.skip(f"not allowed here: {why}")
    if found != AS_NOBODY:  # where everybody may write else
        assert "Read-only file system" in refused(*found, "mkdir", tempfile.gettempdir() + "/new")
    return found


@pytest.fixture(params=ENVIRONMENTS)
def environment(request: pytest.FixtureRequest, image: Image) -> dict[str, str]:
    changed = {**image.environment, **ENVIRONMENTS[request.param]}
    return {name: text for name, text in changed.items() if text is not None}


def run(
    image: Image,
    prefix: tuple[str, ...],
    environment: dict[str, str],
    *command: str,
    stdin: bytes = b"",
    folder: str = "repository/shop/overlays/production",
) -> Result:
    program = shutil.which(command[0], path=environment["PATH"])
    assert program
    return subprocess.run(
        [
            *prefix,
            "env",
            "-i",
            *(f"{k}={v}" for k, v in environment.items()),
            program,
            *command[1:],
        ],
        cwd=image.root / folder,
        input=stdin,
        capture_output=True,
        check=False,
    )


@needs(KUSTOMIZE)
def test_the_plugin_works_for_a_stranger_who_may_write_nowhere(
    image: Image, prefix: tuple[str, ...], environment: dict[str, str]
) -> None:
    wanted = '[{"name": "network-mode", "string": "mixed"}]'
    environment |= {"ARGOCD_APP_PARAMETERS": wanted}
    result = run(image, prefix, environment, "tke-direct", "cmp", "generate")
    assert result.returncode == 0, result.stderr.decode()
    overlay = SHOP / "overlays" / "production"
    built = subprocess.run([peer(KUSTOMIZE), "build", overlay], stdout=subprocess.PIPE, check=True)
    assert (
        result.stdout
        == tke_direct("transform", "-m", "mixed", "-", cwd=ROOT, stdin=built.stdout).stdout
    )


RESOURCES = """\
apiVersion: config.kubernetes.io/v1
kind: ResourceList
items:
- apiVersion: v1
  kind: Service
  metadata:
    name: web
    annotations: {note: "100% é 😀"}
  spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
functionConfig:
  apiVersion: tke-direct.dev/v1alpha1
  kind: DirectAccess
  metadata: {name: x}
  spec: {networkMode: mixed}
"""


@needs(KUSTOMIZE)
def test_the_function_works_for_a_stranger_who_may_write_nowhere(
    image: Image, prefix: tuple[str, ...], environment: dict[str, str]
) -> None:
    result = run(image, prefix, environment, "tke-direct-fn", stdin=RESOURCES.encode())
    assert result.returncode == 0, result.stderr.decode()
    made = result.stdout.decode()
    assert 'service.cloud.tencent.com/direct-access: "true"' in made
    assert '"100% é 😀"' in made


@needs(KUSTOMIZE)
def test_a_refusal_is_readable_in_any_environment(
    image: Image, prefix: tuple[str, ...], environment: dict[str, str]
) -> None:
    wanted = '[{"name": "lint", "string": "é 😀"}]'
    result = run(
        image,
        prefix,
        environment | {"ARGOCD_APP_PARAMETERS": wanted},
        "tke-direct",
        "cmp",
        "generate",
    )
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.startswith(b"error: parameter lint: unknown value ")


@needs(KUSTOMIZE)
def test_bytecode_is_there_and_is_not_compared_with_its_source(image: Image) -> None:
    (made,) = image.root.glob("opt/tke-direct/lib/*/site-packages/transformer/__pycache__/cli.*")
    hashed, checked = 0b01, 0b10  # PEP 552
    assert int.from_bytes(made.read_bytes()[4:8], "little") & (hashed | checked) == hashed


@pytest.fixture(scope="module")
def engine() -> str:
    """An engine that answers."""
    for name in filter(shutil.which, ("docker", "podman")):
        if subprocess.run([name, "info"], capture_output=True, check=False).returncode == 0:
            return name
    pytest.skip("no docker or podman answers here")


@pytest.mark.parametrize(
    ("stage", "command"),
    [
        ("function", ["--version"]),
        ("argocd", ["kustomize", "version"]),
        ("argocd", ["tke-direct", "rules"]),
    ],
)
def test_a_real_image_works_as_anybody_without_network(
    stage: str, command: list[str], engine: str
) -> None:
    tag = f"tke-direct-test/{stage}:{__version__}"
    build = f"{engine} build --target {stage} --tag {tag} --file kustomize-plugin/Dockerfile ."
    subprocess.run(build.split(), cwd=ROOT, check=True)
    limits = ["--rm", "--network=none", "--read-only", "--user=12345:12345", "--cap-drop=ALL"]
    subprocess.run([engine, "run", *limits, tag, *command], check=True)
