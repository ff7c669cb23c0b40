"""Turn findings into edits: those of ``transform``, restricted to what is to be mended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from schemas.contract import INGRESS_DIRECT_ACCESS, SERVICE_DIRECT_ACCESS, NetworkMode
from transformer.draft import Redraft
from transformer.errors import Unproven
from transformer.lint.build import Build
from transformer.lint.joins import Key
from transformer.lint.objects import WORKLOAD, Object
from transformer.model import Draft, Edit, Settings
from transformer.transform import Source
from transformer.values import Path

# By object, the places to write in it, from the root of its document.
Wanted = Mapping[Key, frozenset[Path]]

_SWITCHES = (SERVICE_DIRECT_ACCESS, INGRESS_DIRECT_ACCESS)
_GATE = "readinessGates"
_LONG_LIST = 20


class Target(NamedTuple):
    """A resource that direct access reaches: where it was drafted, and in which mode."""

    source: int
    draft: Draft
    number: int  # in the draft
    mode: NetworkMode


class Mender:
    """Makes the edits for places of the objects in `targets`."""

    def __init__(
        self, sources: Sequence[Source], targets: Mapping[Key, Target], settings: Settings
    ) -> None:
        self.sources, self.targets, self.settings = sources, targets, settings
        self._chunks: dict[tuple[int, int], Redraft] = {}

    def edits(self, wanted: Wanted) -> dict[int, list[Edit]]:
        """The edits, by source, that write the wanted places; proven.

        Raises Unproven when one does not mean what was planned (nothing may be written then).
        """
        by_chunk: dict[tuple[int, int], list[tuple[Target, frozenset[Path]]]] = defaultdict(list)
        for key, places in wanted.items():
            target = self.targets[key]
            by_chunk[target.source, target.draft.start].append((target, places))
        found: dict[int, list[Edit]] = defaultdict(list)
        for (source, _), rows in sorted(by_chunk.items(), key=lambda item: item[0]):
            rewrite = self._chunk(rows[0][0]).rewrite(
                {target.number: target.mode for target, _ in rows},
                {target.number: places for target, places in rows},
            )
            if rewrite.unproven:
                raise Unproven(f"{self.sources[source].name}: {rewrite.unproven}")
            found[source] += rewrite.edits
        return found

    def shown(self, key: Key, places: frozenset[Path]) -> tuple[Edit, ...]:
        """The edits that write `places` of one object alone, proven.

        None in a List of many objects: to prove each means to read the whole List again.
        """
        target = self.targets[key]
        if len(target.draft.resources) > _LONG_LIST:
            return ()
        return tuple(self.edits({key: places})[target.source])

    def _chunk(self, target: Target) -> Redraft:
        key = target.source, target.draft.start
        if key not in self._chunks:
            data, draft = self.sources[target.source].data, target.draft
            self._chunks[key] = Redraft(data, draft.start, draft.end, self.settings)
        return self._chunks[key]


def safe(wanted: Wanted, build: Build, *, whole_build: bool) -> dict[Key, frozenset[Path]]:
    """`wanted` without what would break something as long as something else is not mended.

    A Service or Ingress is switched only together with all that its Pods lack: a switch alone
    would have CLB bind Pods that it cannot reach.  A gate is added only where an entry point is
    direct, or becomes so: nothing else ever opens it.  When files are looked at one by one, a
    switch waits for a file that has the Pods too.
    """
    kept = dict(wanted)
    for entry in (*build.by_subject["service"], *build.by_subject["ingress"]):
        places = kept.get(entry.key, frozenset())
        switch = {place for place in places if place[-1] in _SWITCHES}
        if switch and not build.declares(entry):  # to quote what it says is no switch
            workloads = build.reached_by(entry)
            alone = not whole_build and not workloads
            if alone or not all(_is_mended(one, build, kept) for one in workloads):
                kept[entry.key] = places - switch
    for workload in build.by_subject[WORKLOAD]:
        places = kept.get(workload.key, frozenset())
        gate = {place for place in places if place[-1] == _GATE}
        entries = build.entry_points(workload)
        if gate and not any(_will_be_direct(entry, build, kept) for entry in entries):
            kept[workload.key] = places - gate
    return {key: places for key, places in kept.items() if places}


def _is_mended(workload: Object, build: Build, wanted: Wanted) -> bool:
    """Whether a workload lacks nothing once `wanted` is written."""
    plan, places = build.plan(workload), wanted.get(workload.key, frozenset())
    return not plan.refused and all((*workload.path, *place) in places for place in plan.lacks)


def _will_be_direct(entry: Object, build: Build, wanted: Wanted) -> bool:
    places = wanted.get(entry.key, frozenset())
    return build.declares(entry) or any(place[-1] in _SWITCHES for place in places)
