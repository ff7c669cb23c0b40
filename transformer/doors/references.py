"""Whom a reference means while kustomize builds.

A plugin gets objects under their new names (prefix, suffix), but references to them still say the
old ones: kustomize corrects those when the last transformer is done.  KRM functions are told the
former names in annotations; a legacy plugin is told nothing, and has to recognise them.
Sources: kustomize api/internal/accumulator/namereferencetransformer.go (candidates are all objects
that ever had the name; of several, those with the referrer's own prefixes and suffixes), and its
konfig/builtinpluginconsts/namereference.go (which fields are references).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from transformer.lint.objects import WORKLOAD, Object
from transformer.model import Renaming, Resource
from transformer.resources import renaming
from transformer.values import mapping, text

_SERVICE = "Service"


class Named(NamedTuple):
    """What can be referred to, or refers: its kind and names."""

    kind: str
    namespace: str
    name: str
    renaming: Renaming


class Names:
    """The names of one build, old and new."""

    def __init__(self, known: Iterable[Named], say: Callable[[str], None]) -> None:
        self.say = say
        self.places: dict[tuple[str, str], list[Named]] = defaultdict(list)
        self.by_name: dict[tuple[str, str, str], list[Named]] = defaultdict(list)
        for one in known:
            self.places[one.kind, one.namespace].append(one)
            for name in dict.fromkeys((one.name, *one.renaming.former)):
                self.by_name[one.kind, one.namespace, name].append(one)

    def noted(self, referrer: Named, kind: str, name: str) -> str:
        """The name that `name` becomes, by what kustomize noted on the objects."""
        found = self.by_name.get((kind, referrer.namespace, name), [])
        if len(found) > 1:
            affixes = referrer.renaming.affixes
            found = [one for one in found if one.renaming.affixes == affixes]
        return found[0].name if len(found) == 1 else name

    def recognised(self, referrer: Named, kind: str, name: str) -> str:
        """The same without notes: one name with the prefix and suffix of the referrer's own."""
        if (kind, referrer.namespace, name) in self.by_name:
            return name
        others = self.places.get((kind, referrer.namespace), ())
        found = [one.name for one in others if _is_around(one.name, name, referrer.name)]
        if len(found) > 1:
            self.say(
                f"{referrer.kind} {referrer.name} refers to {kind} {name}, and kustomize does not "
                f"tell legacy plugins which of {', '.join(sorted(found))} that has become: use "
                "the exec function, the container or the pipe"
            )
        return found[0] if len(found) == 1 else name


def _is_around(longer: str, name: str, referrer: str) -> bool:
    """Whether `longer` is `name` with a prefix and suffix that `referrer` has too."""
    begin = longer.find(name) if name else -1
    while begin >= 0:
        before, after = longer[:begin], longer[begin + len(name) :]
        if referrer.startswith(before) and referrer.endswith(after):
            return True
        begin = longer.find(name, begin + 1)
    return False


class References:
    """Follows references: `noted` by kustomize, or else recognised.

    ``unclear`` has a sentence for each reference that may mean several objects.
    """

    def __init__(self, *, noted: bool) -> None:
        self.unclear: dict[str, None] = {}
        self._way = Names.noted if noted else Names.recognised

    def _names(self, known: Iterable[Named]) -> Names:
        return Names(known, lambda sentence: self.unclear.update({sentence: None}))

    def resources(self, found: list[Resource]) -> list[Resource]:
        """The same, Ingresses with the new names of their Services."""
        names = self._names(_named(one) for one in found if one.role == "service")
        return [
            one._replace(
                backends=tuple(
                    self._way(names, _named(one), _SERVICE, name) for name in one.backends
                )
            )
            if one.backends
            else one
            for one in found
        ]

    def objects(self, found: list[Object]) -> None:
        """Put the new names into the data of Ingresses and autoscalers."""
        names = self._names(_known(one) for one in found if one.subject in ("service", WORKLOAD))
        for one in found:
            if one.subject == "ingress":
                for path, name, _ in one.backends():
                    new = self._way(names, _known(one), _SERVICE, name)
                    backend = mapping(one.get(*path))
                    if "serviceName" in backend:
                        backend["serviceName"] = new
                    else:
                        mapping(backend["service"])["name"] = new
            elif one.subject == "autoscaler":
                target = mapping(one.get("spec", "scaleTargetRef"))
                kind, old = text(target.get("kind")), text(target.get("name"))
                if kind and old:
                    target["name"] = self._way(names, _known(one), kind, old)


def _named(one: Resource) -> Named:
    kind = _SERVICE if one.role == "service" else one.name.partition(" ")[0]
    return Named(kind, one.namespace, one.short_name, one.renaming)


def _known(one: Object) -> Named:
    return Named(one.kind, one.namespace, one.name, renaming(one.annotations))
