"""Who may import whom, what a start costs, and where the contract's literals may stand."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGES = ("schemas", "transformer", "binder")
FORBIDDEN = {
    "schemas": {"transformer", "binder"},
    "transformer": {"binder", "kubernetes", "tencentcloud", "requests", "urllib3", "yaml"},
    "binder": {"transformer"},
}
# What the folders of the binder import of each other, and what the outside world is to each.
BINDER = {
    "core": {"settings"},
    "cluster": {"core", "settings", "kubernetes", "urllib3"},
    "cloud": {"core", "tencentcloud", "requests", "urllib3"},
    "controller": {"core", "settings", "cloud", "cluster"},
    "operations": {"core", "controller", "prometheus_client", "aiohttp"},
    "commands": {"core", "settings", "cloud", "cluster", "controller", "operations"},
    "webhook": {"cluster", "cryptography", "prometheus_client", "aiohttp"},
    "simulator": {"aiohttp"},
}
LIBRARIES = {"kubernetes", "tencentcloud", "requests", "urllib3", "aiohttp", "cryptography"}
LIBRARIES |= {"prometheus_client"}
CLOCKS_AND_SOCKETS = {"threading", "time", "datetime", "os", "socket", "asyncio", "subprocess"}
SHELL = {
    "cli",
    "cli_doors",
    "cli_reference",
    "config",  # for find and read, which only the shell calls; the rest of it is pure
    "console",
    "doors.application",
    "doors.argocd",
    "doors.child",
    "doors.function",
    "doors.helm",
    "doors.plugin_home",
    "doors.say",
    "run",
    "lint.run",
    "lint.builds",
    "inputs",
    "outputs",
    "lint.patches",
    "lint.draw",
    "doctor.run",
    "files",
    "parallel",
    "__main__",
    "rules",
}
WORLD = {"os", "sys", "subprocess", "socket", "tempfile", "shutil", "urllib", "http"}

# What touches the world without one of those modules: files by pathlib, the terminal by click.
REACHES = {
    *("open", "read_bytes", "read_text", "write_bytes", "write_text", "touch", "mkdir"),
    *("unlink", "rmdir", "rename", "chmod", "symlink_to", "hardlink_to", "readlink"),
    *("exists", "is_file", "is_dir", "is_symlink", "stat", "lstat", "samefile"),
    *("iterdir", "glob", "rglob", "cwd", "home", "absolute", "expanduser"),
    *("echo", "secho", "print", "input"),
}

SOURCES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_package_imports_only_what_it_may(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    tops = {name.split(".")[0] for name in imported(parsed(path))}
    assert not tops & FORBIDDEN[package]


@pytest.mark.parametrize("folder", BINDER)
def test_a_folder_of_the_binder_imports_only_what_it_may(folder: str) -> None:
    ours, world = set(), set()
    for path in (ROOT / "binder" / folder).rglob("*.py"):
        for name in imported(parsed(path)):
            top, _, rest = name.partition(".")
            if top == "binder" and rest:
                ours.add(rest.partition(".")[0])
            elif top in LIBRARIES:
                world.add(top)
    assert ours | world == BINDER[folder] | {folder}


@pytest.mark.parametrize("path", sorted((ROOT / "binder/core").glob("*.py")), ids=lambda p: p.name)
def test_decisions_of_the_binder_know_no_world_and_no_clock(path: Path) -> None:
    assert not {name.partition(".")[0] for name in imported(parsed(path))} & (
        LIBRARIES | CLOCKS_AND_SOCKETS
    )


MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "transformer").rglob("*.py"))
}


def touched(tree: ast.Module) -> set[str]:
    """How a module touches the world: what it imports of WORLD, and what it uses of REACHES."""
    names = imported(tree)
    used = {name.rpartition(".")[2] for name in names}
    for node in ast.walk(tree):
        # A field may have such a name too, so only a call counts, and what is taken from Path.
        if isinstance(node, ast.Call):
            used.add(ast.unparse(node.func).rpartition(".")[2])
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith("Path"):
            used.add(node.attr)
    return {name.split(".")[0] for name in names} & WORLD | used & REACHES


@pytest.mark.parametrize("name", MODULES)
def test_only_the_shell_touches_the_world(name: str) -> None:
    if name.removeprefix("transformer.") not in SHELL:
        assert not touched(parsed(MODULES[name]))


@pytest.mark.parametrize(
    "text",
    [
        "import os.path",
        "from sys import stdin",
        "data = path.read_bytes()",
        "with path.open() as file: pass",
        "pages = map(Path.read_text, paths)",
        "found = (folder / name).is_file()",
        "open(name)",
        "print(name)",
        "click.echo(name)",
        "from click import echo",
    ],
)
def test_every_way_to_touch_the_world_is_seen(text: str) -> None:
    assert touched(ast.parse(text))


@pytest.mark.parametrize(
    "text",
    ["from pathlib import Path\nlines = Path(name).suffix.split()", "found = program.exists"],
)
def test_what_only_computes_touches_nothing(text: str) -> None:
    assert not touched(ast.parse(text))


def test_imports_of_the_transformer_form_no_loop() -> None:
    graph = {
        name: imported(parsed(path)) & MODULES.keys() - {name} for name, path in MODULES.items()
    }
    assert len(graph) > 40
    while graph:
        leaves = {name for name, needs in graph.items() if not needs & graph.keys()}
        assert leaves, f"a loop among {sorted(graph)}"
        graph = {name: needs for name, needs in graph.items() if name not in leaves}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_contract_literals_stand_in_the_contract_only(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if "rules" in path.parts:  # what teaches a rule shows real manifests
        text = text.replace(ast.get_docstring(ast.parse(text), clean=False) or "", "")
    if path not in (ROOT / "schemas" / "contract.py", ROOT / "schemas" / "annotations.py"):
        assert not re.search(r"cloud\.tencent\.com/", text)


def modules_of(*arguments: str) -> set[str]:
    program = (
        "import sys; from transformer.console import main\n"
        f"sys.argv = ['tke-direct', *{arguments!r}]\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(result.stderr.split())


HEAVY = {"kubernetes", "tencentcloud", "requests", "urllib3", "yaml"}


def test_a_transform_loads_none_of_the_binder_and_no_validator() -> None:
    fixture = "tests/fixtures/mixed/deployment/input.yaml"
    loaded = modules_of("transform", "-m", "mixed", fixture)
    assert "transformer.splice" in loaded
    assert not loaded & (HEAVY | {"jsonschema"})


def test_help_loads_neither_parser_nor_validator() -> None:
    loaded = modules_of("--help")
    assert "click" in loaded
    assert not loaded & (HEAVY | {"jsonschema", "ruamel.yaml", "_ruamel_yaml"})
