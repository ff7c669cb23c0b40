"""Which findings are silenced in one build, by whom, and which suppressions silence nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

from transformer.lint import suppress
from transformer.lint.check import Found, Scope
from transformer.lint.engine import Joined, Placed
from transformer.lint.joins import Key
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
        whole: bool,
        known: Callable[[Reported], bool] | None,
    ) -> None:
        self.joined, self.scope, self.inline, self.known = joined, scope, inline, known
        self.whole = whole
        self.count: Counter[str] = Counter()
        self.used_rows: set[tuple[int, str]] = set()
        self._annotated = {
            one.key: {name for _, listed in suppress.annotated(one) for name in listed}
            for one in joined.build.objects
        }
        self._used: set[tuple[Key, str]] = set()
        self._used_comments: set[tuple[int, int, str]] = set()
        self._comments = self._read_comments() if inline else {}

    def _read_comments(self) -> dict[tuple[int, int], list[suppress.Comment]]:
        """The ignore comments by source and by the line that they are about."""
        found: dict[tuple[int, int], list[suppress.Comment]] = defaultdict(list)
        chunks = dict.fromkeys((one.source, one.chunk) for one in self.joined.build.objects)
        for source, chunk in chunks:
            data = self.joined.sources[source].data
            if data.find(suppress.MARK, *chunk) >= 0:
                piece = self.joined.places(source).page(chunk)
                for comment in suppress.comments(piece, self.joined.page(source)):
                    found[source, comment.line].append(comment)
        return found

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
            for comment in self._comments.get((source, placed.report.line), ()):
                if rule in comment.rules:
                    self._used_comments.add((source, comment.offset, rule))
                    yield "comment"
        subject = placed.report.subject
        for index, row in enumerate(self.joined.settings.lint.ignored):
            if subject is not None and suppress.matches(row, rule, subject.shown):
                self.used_rows.add((index, rule))
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
                    used = (one.key, name) in self._used or not self.whole
                    wrong = suppress.complaint(name, used, self.scope)
                    if wrong is not None:
                        found = Found(suppress.UNUSED, WARNING, one, Finding(path, wrong))
                        yield self.joined.placed(found)

    def unused_comments(self) -> Iterator[tuple[int, Reported]]:
        """A finding for each rule name in a comment that silenced nothing."""
        if not self.scope.has(suppress.UNUSED):
            return
        for (source, _), rows in self._comments.items():
            for comment in rows:
                for name in comment.rules:
                    used = (source, comment.offset, name) in self._used_comments or not self.whole
                    wrong = suppress.complaint(name, used, self.scope)
                    if wrong is not None:
                        place = (comment.offset, comment.length)
                        made = self.joined.at(source, *place, suppress.UNUSED, WARNING)
                        mark = fingerprint(suppress.UNUSED, None, None, (name,))
                        yield source, made._replace(message=wrong, fingerprint=mark)
