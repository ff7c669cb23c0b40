"""Which findings are silenced in one build, by whom, and which suppressions silence nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from transformer.lint import suppress
from transformer.lint.build import Key
from transformer.lint.check import Found, Scope
from transformer.lint.engine import Joined, Placed
from transformer.lint.objects import Object
from transformer.lint.report import Reported, fingerprint
from transformer.lint.rule import WARNING, Finding


class Silence:
    """What annotations, comments, the configuration and a baseline silence, and what was needed."""

    def __init__(
        self,
        joined: Joined,
        scope: Scope,
        *,
        inline: bool,
        known: Callable[[Reported], bool] | None,
    ) -> None:
        self.joined, self.scope, self.inline, self.known = joined, scope, inline, known
        self.count: Counter[str] = Counter()
        self.used_rows: set[int] = set()
        self._annotated = {
            one.key: {name for _, listed in suppress.annotated(one) for name in listed}
            for one in joined.build.objects
        }
        self._used: set[tuple[Key, str]] = set()
        self._used_comments: set[tuple[int, int, str]] = set()
        self._comments: dict[int, list[tuple[int, suppress.Comment, int, int]]] = {}

    def covers(self, placed: Placed) -> bool:
        """Whether somebody silenced a finding; remembers who."""
        by = next(self._who(placed), None)
        if by is not None:
            self.count[by] += 1
        return by is not None

    def _who(self, placed: Placed) -> Iterator[str]:
        rule, source = placed.report.rule, placed.key[0]
        if self.inline:
            if rule in self._annotated.get(placed.key, ()):
                self._used.add((placed.key, rule))
                yield "annotation"
            for line, comment, offset, _ in self._comments_of(source):
                if line == placed.report.line and rule in comment.rules:
                    self._used_comments.add((source, offset, rule))
                    yield "comment"
        subject = placed.report.subject
        for index, row in enumerate(self.joined.settings.lint.ignored):
            if subject is not None and suppress.matches(row, rule, subject.shown):
                self.used_rows.add(index)
                yield "configuration"
        if self.known is not None and self.known(placed.report):
            yield "baseline"

    def unused_annotations(self) -> Iterator[Placed]:
        """A finding for each annotated rule name that silenced nothing; ask when all is covered."""
        if not (self.inline and self.scope.has(suppress.UNUSED)):
            return
        for one in self.joined.build.objects:
            for path, listed in suppress.annotated(one):
                for name in listed:
                    wrong = self._complaint(one, name)
                    if wrong is not None:
                        found = Found(suppress.UNUSED, WARNING, one, Finding(path, wrong))
                        yield self.joined.placed(found)

    def _complaint(self, one: Object, name: str) -> str | None:
        return suppress.complaint(name, lambda rule: (one.key, rule) in self._used, self.scope)

    def unused_comments(self) -> Iterator[tuple[int, Reported]]:
        """A finding for each rule name in a comment that silenced nothing."""
        if not (self.inline and self.scope.has(suppress.UNUSED)):
            return
        for source in range(len(self.joined.sources)):
            for _, comment, offset, length in self._comments_of(source):
                for name in comment.rules:
                    used = (source, offset, name) in self._used_comments
                    wrong = suppress.complaint(name, lambda _, used=used: used, self.scope)  # type: ignore[misc]
                    if wrong is not None:
                        made = self.joined.at(source, offset, length, suppress.UNUSED, WARNING)
                        mark = fingerprint(suppress.UNUSED, None, None, (name,))
                        yield source, made._replace(message=wrong, fingerprint=mark)

    def _comments_of(self, source: int) -> list[tuple[int, suppress.Comment, int, int]]:
        """The comments of a source: line from 1, the comment, its offset and length in bytes."""
        if source not in self._comments:
            found = []
            if suppress.MARK in self.joined.sources[source].data:
                for chunk in self._chunks(source):
                    page = self.joined.places(source).page(chunk)
                    for comment in suppress.comments(page):
                        offset = page.to_byte(comment.start)
                        length = page.to_byte(comment.end) - offset
                        shift = self.joined.page(source).position(chunk[0])[0]
                        found.append((shift + comment.line, comment, offset, length))
            self._comments[source] = found
        return self._comments[source]

    def _chunks(self, source: int) -> list[tuple[int, int]]:
        inside = (one.chunk for one in self.joined.build.objects if one.source == source)
        return list(dict.fromkeys(inside))
