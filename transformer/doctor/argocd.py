"""Argo CD: its own kustomize (``kustomize.buildOptions``), and config management plugins.

Sources: cmpserver/plugin/config.go of argo-cd (which keys are read, and that all others are
ignored), its operator manual, and dash(1), which has no ``set -o pipefail``.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from transformer.config import meant
from transformer.doctor.commands import BUILD, Call, of_argv
from transformer.doctor.flags import check as check_flags
from transformer.doctor.flags import concerned
from transformer.doctor.kustomizations import Builds
from transformer.doctor.model import ERROR, Finding
from transformer.doctor.pages import Page, key_of, strings
from transformer.lookup import child, string
from transformer.tree import Mapping, Node

_OPTIONS = "kustomize.buildOptions"
_PLUGIN_KIND = "ConfigManagementPlugin"
_COMMAND = ("command", "args")
_KNOWN: dict[tuple[str, ...], tuple[str, ...]] = {
    (): ("apiVersion", "kind", "metadata", "spec"),
    ("spec",): (
        *("version", "init", "generate", "discover", "parameters"),
        *("preserveFileMode", "provideGitCreds"),
    ),
    ("spec", "init"): _COMMAND,
    ("spec", "generate"): _COMMAND,
    ("spec", "discover"): ("fileName", "find"),
    ("spec", "discover", "find"): ("glob", *_COMMAND),
    ("spec", "parameters"): ("static", "dynamic"),
    ("spec", "parameters", "dynamic"): _COMMAND,
}
_SHELLS = ("sh", "bash", "dash", "ash", "zsh", "ksh")
_RENDERS = re.compile(r"\b(?:kustomize|helm|jsonnet|cue|ytt|cat|envsubst|kubectl)\b")
_PIPE = re.compile(r"(?<!\|)\|(?![|&])")


class ArgoCd(NamedTuple):
    """What the repository holds of Argo CD: plugins as pages and objects, and its settings."""

    plugins: list[tuple[Page, Node]]
    settings: list[tuple[Page, Node]]
    seen: bool  # or anything else of it

    @property
    def modes_kept(self) -> bool:
        """Whether there are plugins, and all of them keep the mode of files."""
        kept = [string(node, "spec", "preserveFileMode") for _, node in self.plugins]
        return bool(kept) and all(value == "true" for value in kept)


def look(pages: list[Page]) -> ArgoCd:
    """What `pages` hold of Argo CD; a plugin may stand in the data of a ConfigMap."""
    found = ArgoCd([], [], any(_foreign(page) for page in pages))
    for page in pages:
        for node, _, kind in page.objects():
            if kind == _PLUGIN_KIND:
                found.plugins.append((page, node))
            elif kind == "ConfigMap":
                found.plugins.extend(_packed(page, node))
                if string(node, "metadata", "name") == "argocd-cm":
                    found.settings.append((page, node))
    return found._replace(seen=found.seen or bool(found.plugins or found.settings))


def _foreign(page: Page) -> bool:
    kinds = ("Application", "ApplicationSet", "AppProject")
    return any(group == "argoproj.io" and kind in kinds for _, group, kind in page.objects())


def _packed(page: Page, node: Node) -> Iterator[tuple[Page, Node]]:
    data = child(node, "data")
    for value in data.parts if type(data) is Mapping else []:
        text = string(value)
        inner = page.inside(value) if text and _PLUGIN_KIND in text else None
        for root, _, kind in inner.objects() if inner else ():
            if inner and kind == _PLUGIN_KIND:
                yield inner, root


def check(found: ArgoCd, builds: Builds) -> Iterator[Finding]:
    """What keeps Argo CD from running us, or hides that something failed."""
    for page, node in found.settings:
        yield from _settings(page, node, builds)
    for page, node in found.plugins:
        yield from _unknown_keys(page, node)
        yield from _generate(page, node, builds)


def _settings(page: Page, node: Node, builds: Builds) -> Iterator[Finding]:
    """The flags that Argo CD gives to its own kustomize."""
    data = child(node, "data")
    for name, value in data.entries.items() if type(data) is Mapping else ():
        if name.partition(".v")[0] == _OPTIONS:
            line, column = page.place(value)
            words = tuple((string(value) or "").split())
            call = Call(page.path, line, column, BUILD, None, words, "", False)
            for found in check_flags(call, concerned(call, builds)):
                message = found.message.replace(BUILD, name, 1) if found.severity == "ok" else ""
                yield found._replace(message=message or f"{name}: {found.message}")


def _unknown_keys(page: Page, node: Node) -> Iterator[Finding]:
    for path, known in _KNOWN.items():
        holder = child(node, *path)
        for key in holder.entries if type(holder) is Mapping else ():
            if key not in known:
                hint = meant(key, list(known))
                where = ".".join((*path, key))
                message = f"{where}: Argo CD ignores this unknown key without a word{hint}"
                yield page.finding(key_of(holder, key), ERROR, "plugin-key", message)


def _generate(page: Page, node: Node, builds: Builds) -> Iterator[Finding]:
    command = child(node, "spec", "generate", "command")
    argv = [*strings(command), *strings(node, "spec", "generate", "args")]
    if not argv:
        message = "spec.generate.command is missing: Argo CD refuses the plugin"
        yield page.finding(node, ERROR, "plugin-command", message)
        return
    problem = _hidden_failure(argv)
    if problem:
        yield page.finding(command, ERROR, "plugin-shell", problem)
    # Only called by a plugin of this repository for applications of any: what it builds is open.
    for call in of_argv(page.path, *page.place(command), argv):
        yield from check_flags(call, concerned(call, builds, everywhere=True))


def _hidden_failure(argv: list[str]) -> str:
    """How a shell keeps Argo CD from learning that rendering failed; '' when it does not."""
    shell = posixpath.basename(argv[0])
    script = next((word for flag, word in pairwise(argv) if re.fullmatch("-[a-z]*c", flag)), "")
    if shell not in _SHELLS or not _RENDERS.search(script):
        return ""
    pipefail = "pipefail" in " ".join(argv)
    better = "use command: [tke-direct, cmp, generate], which runs kustomize itself"
    if pipefail and shell in ("sh", "dash"):
        return f"Debian's sh is dash, which stops at 'set -o pipefail': {better}"
    if re.search(r"\|\|\s*(?:true|:)(?:\s|$|;)", script):
        return (
            "'|| true' hides that rendering failed; Argo CD then takes what was printed for "
            "everything, and prunes the rest: remove it"
        )
    if _PIPE.search(script) and not pipefail:
        return (
            "a pipe hides that its first command failed; Argo CD then takes the empty output for "
            f"the application, and prunes everything: {better}"
        )
    return ""
