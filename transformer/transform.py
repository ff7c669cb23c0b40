"""Transform sources: draft every chunk, join them in one graph, keep the drafts that are reached.

Values in, values out: the shell reads the sources and writes the results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from schemas.contract import MODES
from transformer.draft import draft, redraft
from transformer.errors import ConfigError
from transformer.graph import Reached, reach
from transformer.model import Diagnostic, Draft, Edit, Resource, Settings
from transformer.stream import chunks


class Source(NamedTuple):
    """One input: ``name`` for messages, ``data`` its bytes."""

    name: str
    data: bytes


class Change(NamedTuple):
    """A resource that was edited, and the Services and Ingresses that reach it."""

    resource: str
    via: tuple[str, ...]


class Outcome(NamedTuple):
    """What became of one source.

    ``edits`` are sorted by position and do not overlap; with ``diagnostics`` of severity error
    there are none.
    """

    source: Source
    edits: tuple[Edit, ...]
    changes: tuple[Change, ...]
    diagnostics: tuple[Diagnostic, ...]
    is_kubernetes: bool

    @property
    def failed(self) -> bool:
        """Whether this source has an error."""
        return any(found.severity == "error" for found in self.diagnostics)

    def result(self) -> bytes:
        """The bytes of the source with all edits made."""
        data = self.source.data
        pieces, last = [], 0
        for edit in self.edits:
            pieces += [data[last : edit.start], edit.text]
            last = edit.end
        return b"".join([*pieces, data[last:]]) if pieces else data


# Drafts of one source: the job that may run elsewhere.  See `parallel`.
DraftMap = Callable[[Sequence[Source], Settings], Iterable[list[Draft]]]


def transform(
    sources: Sequence[Source], settings: Settings, drafts_of: DraftMap | None = None
) -> list[Outcome]:
    """The outcome of each source, in order; all sources form one graph.

    Raises ConfigError for a mode without direct access, Unproven when an edit of ours does not
    mean what was planned (nothing may be written then).
    """
    refuse_unsupported(settings)
    all_drafts = list((drafts_of or drafts)(sources, settings))
    resources = [r for per_source in all_drafts for d in per_source for r in d.resources]
    reached = reach(resources, settings)
    outcomes, index = [], 0
    for source, per_source in zip(sources, all_drafts):
        outcome = _outcome(source, per_source, resources, reached, index, settings)
        outcomes.append(outcome)
        index += sum(len(found.resources) for found in per_source)
    return outcomes


def drafts(sources: Sequence[Source], settings: Settings) -> Iterable[list[Draft]]:
    """The drafts of each source, made here and now."""
    for source in sources:
        yield draft_all(source.data, settings)


def draft_all(data: bytes, settings: Settings) -> list[Draft]:
    """The drafts of the chunks of `data` that matter, in text order."""
    found = (draft(data, chunk, settings) for chunk in chunks(data))
    return [one for one in found if one is not None]


def refuse_unsupported(settings: Settings) -> None:
    """Raise ConfigError when the configuration names a mode without direct access."""
    for mode in settings.modes:
        if not MODES[mode].supported:
            raise ConfigError(
                f"network mode {mode.value} does not support direct access "
                f"({MODES[mode].summary}); CLB has to go through NodePorts there"
            )


def _outcome(
    source: Source,
    per_source: list[Draft],
    resources: list[Resource],
    reached: Reached,
    index: int,
    settings: Settings,
) -> Outcome:
    edits: list[Edit] = []
    changes: list[Change] = []
    diagnostics: list[Diagnostic] = []
    for found in per_source:
        diagnostics += found.diagnostics
        count = len(found.resources)
        inside = range(index, index + count)
        diagnostics += [reached.conflicts[i] for i in inside if i in reached.conflicts]
        modes = {i - index: reached.modes[i] for i in inside if i in reached.modes}
        if modes:
            if count == 1:
                rewrite = found.rewrites[modes[0]]
            else:
                rewrite = redraft(source.data, found.start, found.end, modes, settings)
            edits += rewrite.edits
            diagnostics += rewrite.diagnostics
            if rewrite.edits:
                changes += _changes(found, inside, reached, resources, modes)
        index += count
    is_kubernetes = any(found.is_kubernetes for found in per_source) or not per_source
    failed = any(found.severity == "error" for found in diagnostics)
    return Outcome(
        source,
        () if failed else tuple(edits),
        () if failed else tuple(changes),
        tuple(sorted(diagnostics, key=lambda found: found.offset)),
        is_kubernetes,
    )


def _changes(
    found: Draft, inside: range, reached: Reached, resources: list[Resource], modes: dict[int, object]
) -> list[Change]:
    return [
        Change(resources[i].name, reached.via.get(i, ())) for i in inside if i - inside.start in modes
    ]
