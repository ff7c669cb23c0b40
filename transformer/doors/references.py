"""Whom a reference means while kustomize builds.

A plugin gets objects under their new names (prefix, suffix), but references to them still say the
old ones: kustomize corrects those when the last transformer is done.  It notes the former names in
annotations, for KRM functions and legacy plugins alike.
Sources: kustomize api/filters/nameref/nameref.go (selectReferral: candidates are all objects that
had the name before; of several, those with prefixes and suffixes like the referrer's), and its
konfig/builtinpluginconsts/namereference.go (which fields are references).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from transformer.lint.objects import WORKLOAD, Object
from transformer.model import Renaming, Resource
from transformer.resources import renaming
from transformer.values import mapping, text

_SERVICE = "Service"


def resources(found: list[Resource]) -> list[Resource]:
    """The same, Ingresses with the new names of their Services."""
    names = _Names(_named(one) for one in found if one.role == "service")
    return [
        one._replace(backends=tuple(names.now(_named(one), _SERVICE, old) for old in one.backends))
        if one.backends
        else one
        for one in found
    ]


def objects(found: list[Object]) -> None:
    """Put the new names into the data of Ingresses and autoscalers."""
    names = _Names(_known(one) for one in found if one.subject in ("service", WORKLOAD))
    for one in found:
        if one.subject == "ingress":
            for path, old, _ in one.backends():
                backend, new = mapping(one.get(*path)), names.now(_known(one), _SERVICE, old)
                if "service" in backend:
                    mapping(backend["service"])["name"] = new
                else:
                    backend["serviceName"] = new
        elif one.subject == "autoscaler":
            target = mapping(one.get("spec", "scaleTargetRef"))
            kind, name = text(target.get("kind")), text(target.get("name"))
            if kind and name:
                target["name"] = names.now(_known(one), kind, name)


class _Named(NamedTuple):
    """What can be referred to, or refers."""

    kind: str
    namespace: str
    name: str
    renaming: Renaming


def _named(one: Resource) -> _Named:
    kind = _SERVICE if one.role == "service" else ""
    return _Named(kind, one.namespace, one.short_name, one.renaming)


def _known(one: Object) -> _Named:
    return _Named(one.kind, one.namespace, one.name, renaming(one.annotations))


class _Names:
    """The names of one build, old and new."""

    def __init__(self, known: Iterable[_Named]) -> None:
        self._found: dict[tuple[str, str, str], list[_Named]] = defaultdict(list)
        for one in known:
            for name in dict.fromkeys(one.renaming.former):
                self._found[one.kind, _effective(one), name].append(one)

    def now(self, referrer: _Named, kind: str, name: str) -> str:
        """What became of `name`; `name` itself when nobody can tell."""
        found = self._found.get((kind, _effective(referrer), name), [])
        for none_fits_all in (True, False):
            if len(found) > 1:
                found = [one for one in found if _fits(one, referrer, none_fits_all)]
        return found[0].name if len(found) == 1 else name


def _effective(one: _Named) -> str:
    """The namespace as kustomize compares it."""
    return one.namespace or "default"


def _fits(one: _Named, referrer: _Named, none_fits_all: bool) -> bool:
    """Whether both got the same prefixes and suffixes in the layers that both went through.

    With ``none_fits_all`` that is also so when one of them got none at all.
    """
    for mine, others in zip(one.renaming.affixes, referrer.renaming.affixes):
        shorter, longer = sorted((_layers(mine), _layers(others)), key=len)
        fits = longer[-len(shorter) :] == shorter if shorter else none_fits_all or not longer
        if not fits:
            return False
    return True


def _layers(affixes: str) -> list[str]:
    """What each layer added, the innermost first."""
    return affixes.split(",") if affixes else []
