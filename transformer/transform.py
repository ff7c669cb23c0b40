"""Transform sources: draft every chunk, join them in one graph, keep the drafts that are reached.

Values in, values out: the shell reads the sources and writes the results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from schemas.contract import MODES, NetworkMode
from transformer.draft import draft, redraft
from transformer.errors import ConfigError, Unproven
from transformer.graph import Reached, reach
from transformer.model import Diagnostic, Draft, Edit, Resource, Rewrite, Settings
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

    def pieces(self) -> Iterator[bytes | memoryview]:
        """The source with all edits made, piece by piece and without copies."""
        data, last = memoryview(self.source.data), 0
        for edit in self.edits:
            yield data[last : edit.start]
            yield edit.text
            last = edit.end
        yield data[last:]

    def result(self) -> bytes:
        """The source with all edits made."""
        return b"".join(self.pieces()) if self.edits else self.source.data


class Drafted(NamedTuple):
    """The drafts of one source in text order, and of how many chunks it consists."""

    drafts: list[Draft]
    chunks: int

    @property
    def is_kubernetes(self) -> bool:
        """Whether any document of the source is a Kubernetes object."""
        return sum(not found.is_kubernetes for found in self.drafts) < self.chunks


# Makes the drafts of each source; `parallel.Drafter` is another one.
DraftMap = Callable[[Sequence[Source], Settings], Iterable[Drafted]]


# Gives resources the names that they refer to in the end, as `doors.references` does.
Follow = Callable[[list[Resource]], list[Resource]]


def transform(
    sources: Sequence[Source],
    settings: Settings,
    drafted: DraftMap | None = None,
    follow: Follow | None = None,
) -> list[Outcome]:
    """The outcome of each source, in order; all sources form one graph.

    Raises ConfigError for a mode without direct access, Unproven when an edit of ours does not
    mean what was planned (nothing may be written then).
    """
    refuse_unsupported(settings)
    everything = list((drafted or draft_all)(sources, settings))
    resources = [r for one in everything for found in one.drafts for r in found.resources]
    resources = follow(resources) if follow else resources
    reached = reach(resources, settings)
    outcomes, index = [], 0
    for source, one in zip(sources, everything):
        outcomes.append(_outcome(source, one, resources, reached, index, settings))
        index += sum(len(found.resources) for found in one.drafts)
    return outcomes


def draft_all(sources: Sequence[Source], settings: Settings) -> Iterable[Drafted]:
    """The drafts of each source, made here and now."""
    for source in sources:
        pieces = chunks(source.data)
        found = (draft(source.data, piece, settings) for piece in pieces)
        yield Drafted([one for one in found if one is not None], len(pieces))


def refuse_unsupported(settings: Settings) -> None:
    """Raise ConfigError when the configuration names a mode without direct access."""
    for mode in settings.modes:
        if not MODES[mode].supported:
            raise ConfigError(
                f"network mode {mode.value} does not support direct access "
                f"({MODES[mode].summary}); CLB has to go through NodePorts there"
            )


def rewritten(
    source: Source, found: Draft, modes: dict[int, NetworkMode], settings: Settings
) -> Rewrite:
    """What direct access does to a drafted chunk; `modes` has its wanted resources by index."""
    if len(found.resources) == 1:
        return found.rewrites[settings.modes.index(modes[0])]
    return redraft(source.data, found.start, found.end, modes, settings)


def _outcome(
    source: Source,
    drafted: Drafted,
    resources: list[Resource],
    reached: Reached,
    index: int,
    settings: Settings,
) -> Outcome:
    edits: list[Edit] = []
    changes: list[Change] = []
    diagnostics: list[Diagnostic] = []
    for found in drafted.drafts:
        diagnostics += found.diagnostics
        count = len(found.resources)
        inside = range(index, index + count)
        diagnostics += [reached.conflicts[i] for i in inside if i in reached.conflicts]
        modes = {i - index: reached.modes[i] for i in inside if i in reached.modes}
        if modes:
            rewrite = rewritten(source, found, modes, settings)
            if rewrite.unproven:
                raise Unproven(f"{source.name}: {rewrite.unproven}")
            edits += rewrite.edits
            diagnostics += rewrite.refused.values()
            for one in rewrite.lacks:
                name, via = resources[index + one].name, reached.via.get(index + one, ())
                changes.append(Change(name, via))
        index += count
    failed = any(found.severity == "error" for found in diagnostics)
    return Outcome(
        source,
        () if failed else tuple(edits),
        () if failed else tuple(changes),
        tuple(sorted(diagnostics, key=lambda found: found.offset)),
        drafted.is_kubernetes,
    )
