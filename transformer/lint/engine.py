"""From sources to findings in their places: join what was read, check it, find where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from schemas.contract import MODES, NetworkMode
from transformer.errors import Unproven
from transformer.graph import reach
from transformer.lint.build import Build, Plan
from transformer.lint.check import Found, Scope, check
from transformer.lint.joins import Key
from transformer.lint.mend import Target
from transformer.lint.objects import Object
from transformer.lint.place import Places
from transformer.lint.read import Reading
from transformer.lint.report import Reported, fingerprint, subject_of
from transformer.model import Diagnostic, Draft, Resource, Settings
from transformer.report import Page
from transformer.structure import Defect
from transformer.transform import Source, rewritten
from transformer.values import Path, dotted


class Placed(NamedTuple):
    """A finding in its place: the object's key, and the places that mend it, if any.

    Places lead from the root of the object's document.
    """

    key: Key
    repairs: frozenset[Path]
    report: Reported


# Does a piece of work for all of a number of things, part by part (first, last), perhaps at once.
Spread: TypeAlias = "Callable[[Callable[[int, int], list[Placed]], int], list[Placed]]"


def in_one_go(work: Callable[[int, int], list[Placed]], size: int) -> list[Placed]:
    """The Spread that does everything here and now."""
    return work(0, size)


class Follow(Protocol):
    """Gives objects the names that they refer to in the end, as `doors.references` does."""

    def resources(self, found: list[Resource], /) -> list[Resource]: ...
    def objects(self, found: list[Object], /) -> None: ...


class Joined:
    """One build, joined and ready to be checked; ``sources`` are its files."""

    def __init__(
        self,
        sources: Sequence[Source],
        readings: Sequence[Sequence[Reading]],
        settings: Settings,
        follow: Follow | None = None,
    ) -> None:
        self.sources, self.settings, self.follow = sources, settings, follow
        objects: list[Object] = []
        self._defects: dict[Key, tuple[Defect, ...]] = {}
        for source, pieces in enumerate(readings):
            for piece in pieces:
                for one, defects in zip(piece.objects, piece.defects):
                    one.source = source  # its reader did not know
                    objects.append(one)
                    self._defects[source, one.offset] = defects
        if follow:
            follow.objects(objects)
        self.targets: dict[Key, Target] = {}
        self.build = Build(objects, settings, self._plans(readings, objects))
        self._places: dict[int, Places] = {}
        self._pages: dict[int, Page] = {}

    def findings(self, scope: Scope, spread: Spread) -> list[Placed]:
        """Everything that the rules in `scope` find, in its place, object by object."""
        objects = self.build.objects
        self.build.prepare()

        def judge(first: int, last: int) -> list[Placed]:
            found = check(objects[first:last], self.build, self._defects_of, scope)
            return [self.placed(row) for row in found]

        return spread(judge, len(objects))

    def _defects_of(self, one: Object) -> tuple[Defect, ...]:
        return self._defects.get(one.key, ())

    def placed(self, found: Found) -> Placed:
        """`found` in its place."""
        places = tuple((*found.object.path, *place) for place in found.finding.repairs)
        return Placed(found.object.key, frozenset(places), self.reported(found))

    def reported(self, found: Found) -> Reported:
        """`found` in its place."""
        one, finding = found.object, found.finding
        place = self.places(one.source).of(one.chunk, one.root, one.path, finding)
        if found.refused is not None:
            place = place._replace(offset=found.refused.offset)
        subject = subject_of(one)
        return self.at(one.source, place.offset, place.length, found.rule, found.severity)._replace(
            message=finding.message,
            subject=subject,
            field=found.refused.field if found.refused else dotted(finding.path),
            fixable=bool(finding.repairs),
            fingerprint=fingerprint(found.rule, subject, one, finding.path),
        )

    def at(self, source: int, offset: int, length: int, rule: str, severity: str) -> Reported:
        """A report without words about some bytes of a source."""
        page = self.page(source)
        line, column = page.position(offset)
        _, end = page.position(offset + length)
        return Reported(
            rule,
            severity,
            page.name,
            line,
            column,
            max(end, column),
            offset,
            length,
            "",
            source=page.line(line),
        )

    def diagnosed(self, source: int, found: Diagnostic) -> Reported:
        """What made a source unreadable, as a report."""
        made = self.at(source, found.offset, 1, found.code, found.severity)
        return made._replace(message=found.message, field=found.field)

    def places(self, source: int) -> Places:
        """The places in a source."""
        if source not in self._places:
            self._places[source] = Places(self.sources[source].data)
        return self._places[source]

    def page(self, source: int) -> Page:
        """A source as people see it."""
        if source not in self._pages:
            self._pages[source] = Page(self.sources[source].name, self.sources[source].data)
        return self._pages[source]

    def _plans(
        self, readings: Sequence[Sequence[Reading]], objects: list[Object]
    ) -> dict[Key, Plan]:
        """What transform would do to each object that direct access reaches."""
        if not all(MODES[mode].supported for mode in self.settings.modes):
            return {}
        drafts = [
            (source, piece.draft)
            for source, pieces in enumerate(readings)
            for piece in pieces
            if piece.draft
        ]
        resources: list[Resource] = [one for _, draft in drafts for one in draft.resources]
        resources = self.follow.resources(resources) if self.follow else resources
        reached = reach(resources, self.settings)
        depth = {one.key: len(one.path) for one in objects}
        plans: dict[Key, Plan] = {}
        first = 0
        for source, draft in drafts:
            inside = range(first, first + len(draft.resources))
            modes = {i - first: reached.modes[i] for i in inside if i in reached.modes}
            for i in inside:
                if i in reached.conflicts:
                    key = (source, resources[i].offset)
                    plans[key] = Plan(refused=(reached.conflicts[i],))
            plans.update(self._planned(source, draft, modes, depth))
            first += len(draft.resources)
        return plans

    def _planned(
        self, source: int, draft: Draft, modes: dict[int, NetworkMode], depth: dict[Key, int]
    ) -> Iterator[tuple[Key, Plan]]:
        if not modes:
            return
        rewrite = rewritten(self.sources[source], draft, modes, self.settings)
        if rewrite.unproven:
            raise Unproven(f"{self.sources[source].name}: {rewrite.unproven}")
        for index, mode in modes.items():
            resource = draft.resources[index]
            key = (source, resource.offset)
            self.targets[key] = Target(source, draft, index, mode)
            lacks = tuple(path[depth.get(key, 0) :] for path in rewrite.lacks.get(index, ()))
            refused = rewrite.refused.get(index)
            yield key, Plan(mode, () if refused else lacks, (refused,) if refused else ())
