"""kustomize's plugin home: where it looks for legacy exec plugins.

Source: kustomize api/konfig/plugins.go (DefaultAbsPluginHome), and the layout
HOME/group/version/kind in lower case/Kind of api/internal/plugins/loader.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from schemas.contract import API_VERSION, CONFIG_KIND, LINT_KIND
from transformer.errors import ConfigError

PROGRAM = "tke-direct-fn"


def places(environment: Mapping[str, str]) -> list[Path]:
    """The plugin homes that kustomize tries, in its order."""
    if said := environment.get("KUSTOMIZE_PLUGIN_HOME"):
        return [Path(said)]
    home = environment.get("HOME", "")
    config = environment.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else "")
    found = [Path(config) / "kustomize" / "plugin"] if config else []
    return [*found, Path(home) / "kustomize" / "plugin"] if home else found


def install(home: str | None) -> Iterator[str]:
    """Link the plugin into `home`; what was done, line by line."""
    program, links = _program(), _links(home)
    for link in links:
        if _is_foreign(link):
            raise ConfigError(f"{link} is there and not ours: move it away first")
    for link in links:
        if link.is_symlink() and link.readlink() == program:
            yield f"{link} is there already"
            continue
        link.parent.mkdir(parents=True, exist_ok=True)
        new = link.with_name(f".{link.name}.new")
        new.unlink(missing_ok=True)
        new.symlink_to(program)
        new.replace(link)
        yield f"{link} -> {program}"
    yield "now: kubectl kustomize --enable-alpha-plugins DIR"


def remove_from(home: str | None) -> Iterator[str]:
    """Take the links out of `home` again."""
    links = _links(home)
    for link in links:
        if _is_foreign(link):
            raise ConfigError(f"{link} is not ours: it stays")
    for link in links:
        if link.is_symlink():
            link.unlink()
            yield f"removed {link}"
        else:
            yield f"{link} is not there"


def _links(home: str | None) -> list[Path]:
    if home == "":
        raise ConfigError("--home: an empty path: a variable that is not set?")
    candidates = [Path(home)] if home else places(os.environ)
    if not candidates:
        raise ConfigError("no plugin home: set HOME, or name one with --home")
    chosen = next((path for path in candidates if path.is_dir()), candidates[0])
    root = chosen.absolute() / API_VERSION
    return [root / kind.lower() / kind for kind in (CONFIG_KIND, LINT_KIND)]


def _is_foreign(link: Path) -> bool:
    """Whether something stands at `link` that we did not put there."""
    if link.is_symlink():
        return link.readlink().name != PROGRAM
    return link.exists()


def _program() -> Path:
    """The program beside the one that runs now, or else on the PATH."""
    beside = Path(sys.executable).with_name(PROGRAM)
    found = beside if beside.is_file() else shutil.which(PROGRAM)
    if not found:
        raise ConfigError(f"{PROGRAM} is neither beside {sys.executable} nor on the PATH")
    return Path(found).absolute()
