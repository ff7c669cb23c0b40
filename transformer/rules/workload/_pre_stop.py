"""How long a preStop hook sleeps, as far as the manifest shows."""

from __future__ import annotations

from typing import NamedTuple

from transformer.values import Path, Value, at, integer, items, text

_HOOK: Path = ("lifecycle", "preStop")
_COMMAND: Path = (*_HOOK, "exec", "command")
_SHELLS = ("sh", "bash", "ash", "dash")
_UNITS = {"s": 1, "m": 60, "h": 3600}
# Whatever makes a script longer or shorter than its sleeps.
_CONTROL = ("if", "for", "while", "until", "case", "do", "then", "&", "wait")
# Commands that take no time worth counting.
_QUICK = ("nginx", "kill", "killall", "pkill", "echo", "touch", "rm", "true", ":", "exit")


class Sleep(NamedTuple):
    """What a hook sleeps: the place below the container that says it, and the seconds.

    ``only`` says that nothing else in the hook takes time.
    """

    path: Path
    seconds: float
    only: bool


def sleep_of(container: dict[str, Value]) -> Sleep | None:
    """The sleep of a container's preStop hook, None when there is none or nobody can tell."""
    seconds = integer(at(container, *_HOOK, "sleep", "seconds"))
    if seconds is not None:
        return Sleep((*_HOOK, "sleep", "seconds"), seconds, True)
    words = [text(word) or "" for word in items(at(container, *_COMMAND))]
    program = words[0].rpartition("/")[2] if words else ""
    if program == "sleep":
        slept = _seconds(words)
        return None if slept is None else Sleep((*_COMMAND, 1), slept, True)
    if program in _SHELLS and len(words) > 2 and words[1][:1] == "-" and words[1][-1:] == "c":
        return _script(words[2])
    return None


def _script(script: str) -> Sleep | None:
    for mark in ("&&", "||", ";", "|"):
        script = script.replace(mark, "\n")
    commands = [line.split() for line in script.splitlines() if line.strip()]
    if any(word in _CONTROL or word.endswith("&") for line in commands for word in line):
        return None
    total, only, found = 0.0, True, False
    for line in commands:
        words = line[1:] if line[0] == "exec" and len(line) > 1 else line
        program = words[0].rpartition("/")[2]
        if program != "sleep":
            only = only and program in _QUICK
            continue
        slept = _seconds(words)
        if slept is None:
            return None
        total, found = total + slept, True
    return Sleep((*_COMMAND, 2), total, only) if found else None


def _seconds(words: list[str]) -> float | None:
    """``15`` of ``sleep 15``, 60 of ``sleep 1m``; None when that is a variable or missing."""
    if len(words) != 2:  # the program and one number
        return None
    number, unit = words[1], _UNITS.get(words[1][-1:], 1)
    if number[-1:] in _UNITS:
        number = number[:-1]
    whole, _, rest = number.partition(".")
    digits = whole + rest
    return float(number) * unit if digits.isascii() and digits.isdigit() else None
