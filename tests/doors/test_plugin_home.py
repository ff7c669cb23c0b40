"""``install-plugin``: the links by which kustomize finds the legacy plugin."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Result, Run, tke_direct
from tests.doors.kustomize import (
    EVERY,
    FUNCTION,
    LEGACY,
    Kustomize,
    Machine,
    flags,
    function_config,
    objects,
    succeeded,
    with_function,
    write,
)
from transformer.doors import plugin_home
from transformer.doors.plugin_home import places
from transformer.errors import ConfigError

LINKS = [
    "tke-direct.dev/v1alpha1/directaccess/DirectAccess",
    "tke-direct.dev/v1alpha1/directaccesslint/DirectAccessLint",
]
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
"""

# What a machine has: its variables, the folders that exist, and the plugin home that follows.
HOMES = {
    "a home of its own": (
        {"KUSTOMIZE_PLUGIN_HOME": "own"},
        ["own", "home/.config/kustomize/plugin"],
        "own",
    ),
    "XDG": ({"XDG_CONFIG_HOME": "xdg"}, [], "xdg/kustomize/plugin"),
    "XDG, and the other place exists": (
        {"XDG_CONFIG_HOME": "xdg"},
        ["home/kustomize/plugin"],
        "home/kustomize/plugin",
    ),
    "nothing": ({}, [], "home/.config/kustomize/plugin"),
    "both places": (
        {},
        ["home/.config/kustomize/plugin", "home/kustomize/plugin"],
        "home/.config/kustomize/plugin",
    ),
    "only the last place": ({}, ["home/kustomize/plugin"], "home/kustomize/plugin"),
}


@pytest.mark.parametrize("place", HOMES)
@pytest.mark.parametrize("by", [EVERY[-2], EVERY[-1]])
def test_it_is_put_where_kustomize_looks_first(
    by: Kustomize, place: str, machine: Machine, tmp_path: Path
) -> None:
    variables, folders, home = HOMES[place]
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
    here = {name: str(tmp_path / value) for name, value in variables.items()}
    environment = {"KUSTOMIZE_PLUGIN_HOME": "", "HOME": str(tmp_path / "home"), **here}
    installed = machine.call(["tke-direct", "install-plugin"], **environment)
    assert installed.returncode == 0, installed.stderr.decode()
    assert links_in(tmp_path) == [f"{home}/{link}" for link in LINKS]
    plain = write(
        tmp_path / "plain", {"web.yaml": SERVICE, "kustomization.yaml": "resources: [web.yaml]\n"}
    )
    built = with_function(plain, tmp_path / "built", function_config(LEGACY))
    given = succeeded(machine.build(by, built, *flags(LEGACY), **environment))
    assert objects(given) == objects(machine.pipe_of(by, plain))


def links_in(folder: Path) -> list[str]:
    """All links below `folder`."""
    found = (path for path in folder.rglob("*") if path.is_symlink())
    return sorted(str(path.relative_to(folder)) for path in found)


def test_the_places_are_those_of_kustomize() -> None:
    assert places({"KUSTOMIZE_PLUGIN_HOME": "/own", "HOME": "/home"}) == [Path("/own")]
    assert places({"XDG_CONFIG_HOME": "/xdg", "HOME": "/home"}) == [
        Path("/xdg/kustomize/plugin"),
        Path("/home/kustomize/plugin"),
    ]
    assert places({"HOME": "/home"}) == [
        Path("/home/.config/kustomize/plugin"),
        Path("/home/kustomize/plugin"),
    ]
    assert places({"XDG_CONFIG_HOME": "/xdg"}) == [Path("/xdg/kustomize/plugin")]
    assert places({}) == []


def test_installing_says_what_it_did_and_what_to_do_now(run: Run, tmp_path: Path) -> None:
    said = lines(run("install-plugin", "--home", "plugins"))
    assert said == [
        *(f"{tmp_path / 'plugins' / link} -> {FUNCTION}" for link in LINKS),
        "now: kubectl kustomize --enable-alpha-plugins DIR",
    ]
    for link in LINKS:
        assert (tmp_path / "plugins" / link).samefile(FUNCTION)


def lines(result: Result) -> list[str]:
    """What a command that succeeds says."""
    assert (result.returncode, result.stdout) == (0, b""), result.stderr.decode()
    return result.stderr.decode().splitlines()


def test_installing_twice_changes_nothing(run: Run, tmp_path: Path) -> None:
    lines(run("install-plugin", "--home", "plugins"))
    said = lines(run("install-plugin", "--home", "plugins"))
    assert said[:-1] == [f"{tmp_path / 'plugins' / link} is there already" for link in LINKS]


def test_a_link_to_an_older_program_of_ours_is_replaced(run: Run, tmp_path: Path) -> None:
    link = tmp_path / "plugins" / LINKS[0]
    link.parent.mkdir(parents=True)
    link.symlink_to("/gone/bin/tke-direct-fn")
    lines(run("install-plugin", "--home", "plugins"))
    assert link.readlink() == FUNCTION
    assert links_in(tmp_path) == [f"plugins/{one}" for one in LINKS]


def test_what_was_installed_is_removed_and_nothing_else(run: Run, tmp_path: Path) -> None:
    lines(run("install-plugin", "--home", "plugins"))
    other = write(tmp_path / "plugins/tke-direct.dev", {"other": ""}) / "other"
    said = lines(run("install-plugin", "--home", "plugins", "--remove"))
    assert said == [f"removed {tmp_path / 'plugins' / link}" for link in LINKS]
    assert links_in(tmp_path) == []
    assert other.exists()
    said = lines(run("install-plugin", "--home", "plugins", "--remove"))
    assert said == [f"{tmp_path / 'plugins' / link} is not there" for link in LINKS]


@pytest.mark.parametrize("place", LINKS)
@pytest.mark.parametrize("kind", ["a file", "a link", "a folder"])
@pytest.mark.parametrize("options", [[], ["--remove"]])
def test_what_is_not_ours_is_refused_and_stays(
    options: list[str], kind: str, place: str, run: Run, tmp_path: Path
) -> None:
    foreign = tmp_path / "plugins" / place
    foreign.parent.mkdir(parents=True)
    if kind == "a file":
        foreign.write_text("#!/bin/sh\n")
    elif kind == "a link":
        foreign.symlink_to("/usr/bin/env")
    else:
        foreign.mkdir()
    before = sorted(tmp_path.rglob("*"))
    result = run("install-plugin", "--home", "plugins", *options)
    assert result.returncode == 2
    assert f"error: {foreign} is ".encode() in result.stderr
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--home", ""], "--home: an empty path: a variable that is not set?"),
        (["--home", "file"], "file/tke-direct.dev"),
    ],
)
def test_a_home_that_cannot_be_is_an_error(
    options: list[str], says: str, run: Run, tmp_path: Path
) -> None:
    write(tmp_path, {"file": ""})
    result = run("install-plugin", *options)
    assert result.returncode == 2
    assert says in result.stderr.decode()


def test_without_any_home_it_asks_for_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME", "KUSTOMIZE_PLUGIN_HOME"):
        monkeypatch.delenv(name, raising=False)
    result = tke_direct("install-plugin", cwd=tmp_path)
    assert result.returncode == 2
    assert b"no plugin home: set HOME, or name one with --home" in result.stderr


def test_the_program_on_the_path_is_taken_where_none_is_beside_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"bin/tke-direct-fn": "#!/bin/sh\n"})
    (tmp_path / "bin/tke-direct-fn").chmod(0o755)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    list(plugin_home.install(str(tmp_path / "plugins")))
    assert (tmp_path / "plugins" / LINKS[0]).readlink() == tmp_path / "bin/tke-direct-fn"


def test_without_the_program_nothing_is_linked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="tke-direct-fn is neither beside"):
        list(plugin_home.install(str(tmp_path / "plugins")))
    assert list(tmp_path.iterdir()) == []
