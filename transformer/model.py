"""The values that pass between the modules: frozen, small, cheap to pickle."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from schemas.contract import NetworkMode, Workload

# What is to be added below a node.  A dict adds or enters keys, a str or int is a scalar to
# write (a str always double-quoted), a list a sequence to write; Items enters the items of an
# existing sequence, Append adds one at its end.
Patch: TypeAlias = "str | int | list[Patch] | dict[str, Patch] | Items | Append"


class Items(NamedTuple):
    """Patches for some items of an existing sequence, by index."""

    by_index: dict[int, Patch]


class Append(NamedTuple):
    """One more item at the end of a sequence; the sequence is made when it is absent."""

    item: Patch


class Edit(NamedTuple):
    """Replace ``length`` bytes of a source from ``start`` on by ``text``; length 0 inserts."""

    start: int
    length: int
    text: bytes

    @property
    def end(self) -> int:
        """Where the replaced bytes end."""
        return self.start + self.length


class Diagnostic(NamedTuple):
    """Something the user has to know: where, which resource and field, what, what to do.

    ``offset`` counts bytes from the start of the source; ``resource`` and ``field`` may be ''.
    """

    code: str
    offset: int
    message: str
    resource: str = ""
    field: str = ""
    severity: str = "error"


class Requirement(NamedTuple):
    """One matchExpression of a label selector."""

    key: str
    operator: str
    values: tuple[str, ...]


class LabelSelector(NamedTuple):
    """A Kubernetes label selector; empty matches everything."""

    labels: tuple[tuple[str, str], ...] = ()
    expressions: tuple[Requirement, ...] = ()

    def matches(self, labels: dict[str, str]) -> bool:
        """Whether an object with `labels` is selected."""
        if any(labels.get(key) != value for key, value in self.labels):
            return False
        return all(_holds(requirement, labels) for requirement in self.expressions)


def _holds(requirement: Requirement, labels: dict[str, str]) -> bool:
    key, operator, values = requirement
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    return (labels.get(key) in values) == (operator == "In")


class Override(NamedTuple):
    """Another network mode for some Services and Ingresses."""

    mode: NetworkMode
    namespaces: tuple[str, ...]
    selector: LabelSelector


class Ignored(NamedTuple):
    """Findings that the configuration silences: rule names, and globs over ``Kind ns/name``."""

    rules: tuple[str, ...]
    resources: tuple[str, ...]


class LintSettings(NamedTuple):
    """What only lint needs to know.

    ``target_quota`` is how many targets CLB takes behind one listener or rule, ``drain_s`` how
    long a Pod goes on receiving requests after it was told to stop.  A controller version is ''
    when nobody said which one runs.
    """

    target_quota: int = 100
    drain_s: int = 5
    service_controller: str = ""
    ingress_controller: str = ""
    ignored: tuple[Ignored, ...] = ()


class Settings(NamedTuple):
    """The configuration of one run, checked and with its defaults."""

    mode: NetworkMode
    workloads: dict[str, dict[str, Workload]]  # by kind and group
    overrides: tuple[Override, ...] = ()
    services_select: str = "all"
    services_selector: LabelSelector = LabelSelector()
    ingresses_select: str = "all"
    ingresses_selector: LabelSelector = LabelSelector()
    ingress_default_class: bool = False
    gate: str = ""  # condition type of the readiness gate
    inject: bool | None = None  # None: as the mode says
    container: str | None = None
    graceful: bool = False
    pre_stop_s: int = 15
    grace_period_s: int = 60
    exclude: tuple[str, ...] = ()
    kubernetes: str = ""  # minor version like "1.31"; '': nobody said
    lint: LintSettings = LintSettings()

    @property
    def modes(self) -> tuple[NetworkMode, ...]:
        """Every mode that this configuration can hand out, without repeats."""
        return tuple(dict.fromkeys((self.mode, *(row.mode for row in self.overrides))))


def by_kind(rows: Iterable[Workload]) -> dict[str, dict[str, Workload]]:
    """Rows of workload kinds as Settings keeps them; of two equal ones the first counts."""
    found: dict[str, dict[str, Workload]] = {}
    for row in rows:
        found.setdefault(row.kind, {}).setdefault(row.group, row)
    return found


class Renaming(NamedTuple):
    """What kustomize did to the name of an object: its former names, and what was put around it."""

    former: tuple[str, ...] = ()
    affixes: tuple[str, str] = ("", "")


AS_WRITTEN = Renaming()


class Resource(NamedTuple):
    """A Service, Ingress or workload, reduced to what joins it to others.

    ``role`` is "service", "ingress" or "workload".  ``labels`` are those that are selected on:
    the pod template's for a workload, the object's own otherwise.  ``wants`` says that the
    manifest and the configuration want direct access here (services and ingresses).
    """

    role: str
    name: str  # Kind namespace/name, for messages
    namespace: str
    short_name: str
    offset: int  # bytes from the start of the source
    labels: dict[str, str]
    selector: dict[str, str]
    backends: tuple[str, ...]
    wants: bool
    renaming: Renaming = AS_WRITTEN


class Rewrite(NamedTuple):
    """What direct access does to the resources of one chunk: proven edits, or why not.

    ``lacks`` holds the places that are to be written (paths from the document's root), by the
    index of their resource in the chunk, and ``refused`` why a resource is not edited.
    """

    edits: tuple[Edit, ...]
    lacks: dict[int, tuple[tuple[str | int, ...], ...]]
    refused: dict[int, Diagnostic]
    unproven: str = ""  # our own mistake, in words: the run must end


class Draft(NamedTuple):
    """All that is kept of one chunk after its tree is gone.

    ``rewrites`` has a row for each of the settings' modes when there is exactly one resource; a
    chunk with several is drafted again when it is known which of them are wanted.
    """

    start: int
    end: int
    resources: tuple[Resource, ...]
    rewrites: tuple[Rewrite, ...]
    diagnostics: tuple[Diagnostic, ...]
    is_kubernetes: bool
