"""The commands that people run: where kustomize is called, and with which arguments.

Lines are read as a shell would, as far as that can be told without running anything: comments
and ``echo`` are no commands, a variable is looked up among the assignments of the same file.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

BUILD, KUBECTL = "kustomize build", "kubectl kustomize"


def _quoted(program: str) -> str:
    return f"(?:{program}|\"(?:{program})\"|'(?:{program})')"


_KUSTOMIZE = _quoted(r"(?:[\w./~-]*/)?kustomize(?:-v?[0-9.]+)?|\$[({]?KUSTOMIZE[)}]?")
_FLAGS = r"(?:-[^\s|;&]+\s+(?:[^\s|;&-][^\s|;&]*\s+)??)*?"
_KUBECTL = _quoted(r"(?:[\w./~-]*/)?(?:kubectl|oc)|\$[({]?KUBECTL[)}]?") + r"\s+" + _FLAGS
_CALL = re.compile(
    rf"""(?<![\w./$])(?<![\w-]-)(?:
        (?P<build>{_KUSTOMIZE}\s+build)
      | (?P<kubectl>{_KUBECTL}kustomize)
      | (?P<apply>{_KUBECTL}(?:apply|create|replace|delete|diff)
        (?=\s(?:[^|;&]*\s)?(?:-k|--kustomize)(?![\w-])))
    )(?![\w-])""",
    re.VERBOSE,
)
# $NAME, ${NAME}, $(NAME) of Makefiles, $$NAME in their recipes, ${{ env.NAME }} of workflows.
_VARIABLE = re.compile(
    r"\$\{\{\s*(?:[\w-]+\.)*([\w-]+)[^}]*\}\}|\${1,2}(?:\{(\w+)[^}]*\}|\((\w+)\)|(\w+|[@*]))"
)
_END = re.compile(r"[|;&`<>)]|\s#")
_PROSE = re.compile(r"(?:^|[;&|{(]|\s-)\s*@?(?:echo|printf|#)\s[^;&|]*$|\s##?\s")
_BRINGS_FLAGS = re.compile(r"FLAG|OPT|ARG|EXTRA|PARAM|[@*]", re.IGNORECASE)
_MOVES = re.compile(r"\b(?:cd|pushd)\s|working-directory|\bdir\(|\bmake -C\b")
_INTO_TRANSFORM = re.compile(r"\|.*\btke-direct\s+transform\b")
_FOLDED = re.compile(r"(?<!\\)\n(?=[ \t]+--\w)")
_SCRIPTS = ("Makefile", "makefile", "GNUmakefile", "Jenkinsfile", "README.md")
_HOOKS = (".gitlab-ci.yml", ".pre-commit-config.yaml")
_TAKES_VALUE = (
    *("-e", "--env", "--load-restrictor", "--mount", "--network-name", "-o", "--output"),
    *("--helm-command", "--helm-api-versions", "--helm-kube-version"),
)


class Call(NamedTuple):
    """One call of kustomize.

    ``tool`` is "kustomize build", "kubectl kustomize" or a verb like "kubectl apply -k".
    ``folder`` is what it builds, None when that cannot be told; ``unknown`` names a variable
    that may bring flags; ``piped`` says that the output goes to ``tke-direct transform``.
    """

    path: str
    line: int
    column: int
    tool: str
    folder: str | None
    arguments: tuple[str, ...]
    unknown: str
    piped: bool

    def has(self, flag: str) -> bool:
        """Whether a flag is given."""
        return any(
            word == flag or (word.startswith(f"{flag}=") and word != f"{flag}=false")
            for word in self.arguments
        )


class Line(NamedTuple):
    """A command with its continuation lines, and the number of the first."""

    number: int
    text: str


def is_script(path: str) -> bool:
    """Whether people or CI run commands that stand in the file at `path`."""
    folder, name = posixpath.split(path)
    if f"/{folder}".endswith("/.github/workflows"):
        return name.endswith((".yaml", ".yml"))
    return name in _SCRIPTS or name in _HOOKS or name.endswith((".sh", ".bash", ".mk"))


def lines(path: str, text: str) -> Iterator[Line]:
    """The commands of a script: continuations joined, comments left out, of Markdown its code."""
    prose = path.endswith(".md")
    inside = not prose
    if path.endswith((".yaml", ".yml")):  # a folded text goes on without a backslash
        text = _FOLDED.sub(r" \\\n", text)
    held, first = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        stripped = raw.strip()
        if prose and stripped.startswith(("```", "~~~")):
            inside = not inside
        elif inside and (held or not stripped.startswith(("#", "//"))):
            first = first if held else number
            held += raw
            if held.endswith("\\"):
                held = held[:-1] + " "
            else:
                yield Line(first, held)
                held = ""
    if held:
        yield Line(first, held)


def assignments(text: str) -> dict[str, str]:
    """Variables that a script, a Makefile or a workflow sets; of several values all together."""
    found: dict[str, str] = {}
    joined = text.replace("\\\n", " ")
    for match in re.finditer(r"(?m)^[ \t-]*(?:export\s+)?(\w+)\s*(?:[:?+]?=|:\s)(.+)$", joined):
        name, value = match.groups()
        found[name] = f"{found.get(name, '')} {value.strip().strip(chr(34) + chr(39))}".strip()
    return found


def calls(path: str, text: str) -> Iterator[Call]:
    """The calls of kustomize in the script at `path`."""
    if "kustomize" not in text.lower() and "-k" not in text:
        return
    known = assignments(text)
    moves = _MOVES.search(text) is not None
    for line in lines(path, text):
        for call in in_line(path, line, known):
            somewhere = moves and call.folder in (".", "./")
            yield call._replace(folder=None) if somewhere else call


def in_line(path: str, line: Line, known: Mapping[str, str]) -> Iterator[Call]:
    """The calls in one line; `known` are the variables of its file."""
    for match in _CALL.finditer(line.text):
        before, after = line.text[: match.start()], line.text[match.end() :]
        if _PROSE.search(before):
            continue
        words, unknown = _arguments(_unquoted(before, after), known)
        tool, folder = _tool(match, words)
        piped = _INTO_TRANSFORM.search(after) is not None
        column = match.start() + 1
        yield Call(path, line.number, column, tool, folder, words, unknown, piped)


def _unquoted(before: str, after: str) -> str:
    """`after` up to the end of the quotes that it stands in, as in ``sh 'kustomize build .'``."""
    for quote in "'\"":
        if before.count(quote) % 2:
            after = after.partition(quote)[0]
    return after


def _arguments(text: str, known: Mapping[str, str]) -> tuple[tuple[str, ...], str]:
    """The words of the first command in `text`, and a variable that may hold more flags."""

    def value(match: re.Match[str]) -> str:
        name = next(filter(None, match.groups()))
        return known.get(name, f"${name}")

    filled = _VARIABLE.sub(value, text)
    end = _END.search(filled)
    words = tuple(word.strip("'\"") for word in filled[: end.start() if end else None].split())
    unknown = (word[1:] for word in words if word[:1] == "$" and _BRINGS_FLAGS.search(word))
    return words, next(unknown, "")


def _tool(match: re.Match[str], words: tuple[str, ...]) -> tuple[str, str | None]:
    """The tool's name for people, and the folder that it builds."""
    if match["apply"] is not None:
        folder = _value(words)
        tool = f"kubectl {match['apply'].split()[-1]} -k"
    else:
        folder = _positional(words)
        tool = BUILD if match["build"] is not None else KUBECTL
    return tool, None if folder is None or "$" in folder else folder


def _value(words: tuple[str, ...]) -> str | None:
    """What ``-k`` names."""
    for index, word in enumerate(words):
        if word in ("-k", "--kustomize"):
            return words[index + 1] if index + 1 < len(words) else None
        if word.startswith("--kustomize="):
            return word.partition("=")[2]
    return None


def _positional(words: tuple[str, ...]) -> str:
    """The folder that is built: the caller's when none is named."""
    value_of_flag = False
    for word in words:
        if not value_of_flag and not word.startswith("-"):
            return word
        value_of_flag = not value_of_flag and word in _TAKES_VALUE
    return "."


def of_argv(path: str, line: int, column: int, argv: list[str]) -> Iterator[Call]:
    """The calls in a command that is given as a list, a script after ``-c`` included."""
    text = " ".join(argv)
    moves = _MOVES.search(text) is not None
    for number, part in enumerate(text.splitlines()):
        for call in in_line(path, Line(line + number, part), {}):
            folder = None if moves else call.folder
            yield call._replace(line=line, column=column, folder=folder)
