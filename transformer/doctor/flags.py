"""Whether each call of kustomize has the flags without which our function does not run."""

from __future__ import annotations

from collections.abc import Iterator

from transformer.doctor.commands import BUILD, KUBECTL, Call
from transformer.doctor.kustomizations import EXEC, Builds, Function
from transformer.doctor.model import ERROR, OK, WARNING, Finding

ALPHA_FLAG, EXEC_FLAG = "--enable-alpha-plugins", "--enable-exec"
BOTH = f"{ALPHA_FLAG} {EXEC_FLAG}"
PIPE = "kustomize build DIR | tke-direct transform -"


def concerned(call: Call, builds: Builds, everywhere: bool = False) -> list[Function]:
    """Our functions that the call runs; all of them when it does not say what it builds.

    `everywhere` is for calls whose working directory is not that of the repository.
    """
    everything = list(builds.functions())
    if call.folder is None or everywhere:
        return everything
    if _remote(call.folder):
        return []
    one = builds.named(call.folder, call.path.rpartition("/")[0])
    return list(builds.reached(one)) if one else []


def look(call: Call, builds: Builds) -> Iterator[Finding]:
    """What keeps `call` from running what it builds; a warning where that is only likely."""
    yield from check(call, concerned(call, builds))
    folder = call.folder
    if folder is None or _remote(folder) or builds.named(folder, call.path.rpartition("/")[0]):
        return
    for one in builds.ending(folder):
        for found in check(call, list(builds.reached(one))):
            if found.severity != OK:
                message = f"if this builds {one.folder}: {found.message}"
                yield found._replace(severity=WARNING, message=message)


def _remote(folder: str) -> bool:
    return "://" in folder or folder.startswith(("github.com/", "git@"))


def check(call: Call, functions: list[Function]) -> Iterator[Finding]:
    """What keeps `call` from running `functions`."""
    if not functions:
        return
    by_exec = [one for one in functions if one.how == EXEC]
    if call.tool not in (BUILD, KUBECTL):
        found = _problem(call, ERROR, "kubectl-apply", _cannot(call, functions[0]))
    elif call.tool == KUBECTL and by_exec:
        found = _problem(call, ERROR, "kubectl-exec", _never(call, by_exec[0]))
    else:
        found = _flags(call, functions, by_exec)
    yield found


def _flags(call: Call, functions: list[Function], by_exec: list[Function]) -> Finding:
    missing = [] if call.has(ALPHA_FLAG) else [ALPHA_FLAG]
    # What the pipe transforms need not be transformed before; lint has no other way to run.
    needed = [one for one in by_exec if not (call.piped and one.kind == "DirectAccess")]
    if needed and not call.has(EXEC_FLAG):
        missing.append(EXEC_FLAG)
    if not missing:
        return _problem(call, OK, "flags", f"{call.tool} has the flags that {_named(functions[0])}")
    flags = " ".join(missing)
    if call.unknown:
        return _problem(
            call, WARNING, "flags", f"cannot tell whether ${call.unknown} brings {flags}: check it"
        )
    effect = (
        "kustomize stops: external plugins disabled"
        if ALPHA_FLAG in missing
        else "kustomize skips the function, says nothing and exits 0"
    )
    subject = functions[0] if ALPHA_FLAG in missing else needed[0]
    return _problem(
        call, ERROR, "flags", f"{flags} is missing, which {_named(subject)}: {effect}; add it"
    )


def _named(one: Function) -> str:
    return f"the {one.kind} of {one.kustomization.path} needs"


def _cannot(call: Call, one: Function) -> str:
    return (
        f"{call.tool} cannot run plugins, which {_named(one)}; build first: "
        f"kustomize build {BOTH if one.how == EXEC else ALPHA_FLAG} DIR | kubectl apply -f -"
    )


def _never(call: Call, one: Function) -> str:
    skips = (
        "skips the function, says nothing and exits 0" if call.has(ALPHA_FLAG) else "cannot run it"
    )
    return (
        f"{call.tool} has no {EXEC_FLAG}, which {_named(one)}: it {skips}; "
        f"use kustomize build {BOTH} DIR, or {PIPE}"
    )


def _problem(call: Call, severity: str, code: str, message: str) -> Finding:
    return Finding(call.path, call.line, call.column, severity, code, message)
