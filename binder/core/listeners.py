"""Which listeners and rules of one load balancer are made, changed and removed, and which serve.

A listener is ours when its name says so. Whatever else is on the load balancer is never touched.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import NamedTuple

from binder.core import tag
from binder.core.actions import (
    Action,
    CreateListener,
    CreateRule,
    DeleteListener,
    DeleteRule,
    Modify,
    Tell,
)
from binder.core.bindings import Binding
from binder.core.clb import Attributes, Check, Frontend, Group, Listener, LoadBalancer
from binder.settings import Settings
from schemas.contract import LISTENER_PROTOCOLS

_LONGEST_NAME = 80  # characters of a listener's name
_SHARED = "shared"

# HealthCheck is one structure of the API: whatever is named of it is sent together.
_OF_CHECK = (
    *("check", "http_path", "http_domain", "http_method", "http_code"),
    *("check_type", "check_port", "source_ip"),
)


class Listening(NamedTuple):
    """What to do, and how every wanted frontend stands; each is in exactly one of the last three.

    `groups` are where targets may be bound now. `conflicts` say why a frontend cannot be had, and
    what to do. `absent` ones are not there: they will be made, or never when listeners are not
    ours to make. `notes` are about owners that do not get all they want.
    """

    actions: tuple[Action, ...]
    groups: dict[Frontend, Group]
    conflicts: dict[Frontend, str]
    absent: frozenset[Frontend]
    notes: tuple[Tell, ...] = ()


class _Wish(NamedTuple):
    """A frontend that bindings want: the first owner's word counts."""

    place: Frontend
    first: Binding
    frontends: tuple[Frontend, ...]  # as owners say it


def prefix(settings: Settings) -> str:
    """How the names of our listeners begin."""
    return f"tke-direct/{tag.short(settings.cluster)}/"


def plan_listeners(
    wanted: Sequence[Binding],
    lb: LoadBalancer,
    settings: Settings,
    removable: Callable[[Group], bool],
) -> Listening:
    """The plan for `lb`, which `wanted` are all on.

    `removable` says whether a group has no targets left and removal is allowed now. It is asked
    about every group that goes, and about a listener of layer 7 without rules as if that were one.
    Nothing is planned before the listeners have been read. A rule is made when its listener is
    there, and a listener when the one that has its port is gone: that takes more than one round.
    """
    if lb.listeners_at is None or lb.absent is not None:
        return Listening((), {}, {}, frozenset())
    wishes = _wishes(wanted, lb)
    if not settings.manage_listeners:
        return _listening((), wishes, _there(lb.listeners, lb), {}, ())
    return _Planner(wishes, lb, settings, removable).plan(_notes(wanted, lb))


def _place(frontend: Frontend, lb: LoadBalancer) -> Frontend:
    """`frontend` with the domain "" where CLB has the load balancer's address.

    Any address will do: that of the load balancer may not be known, and no host of an Ingress is
    one (Kubernetes API, IngressRule).
    """
    own = frontend.domain in lb.addresses or _is_address(frontend.domain)
    return frontend._replace(domain="") if frontend.layer_7 and own else frontend


def _is_address(domain: str) -> bool:
    try:
        ip_address(domain)
    except ValueError:
        return False
    return True


def _there(listeners: Iterable[Listener], lb: LoadBalancer) -> dict[Frontend, Group]:
    """The groups by place; of two with addresses for domain, the one with the first address."""
    groups = [group for one in listeners for group in one.groups]
    first = ("", *lb.addresses[:1])
    groups.sort(key=lambda one: (one.frontend.domain not in first, one.listener, one.location))
    return {_place(one.frontend, lb): one for one in reversed(groups)}


def _in_order(wanted: Sequence[Binding], lb: LoadBalancer) -> list[tuple[Frontend, Binding]]:
    """The bindings with their places, in the order in which owners have their way."""
    ordered = sorted(wanted, key=lambda one: (one.owner, one.frontend))
    return [(_place(one.frontend, lb), one) for one in ordered]


def _wishes(wanted: Sequence[Binding], lb: LoadBalancer) -> list[_Wish]:
    sharing: dict[Frontend, list[Binding]] = defaultdict(list)
    for place, binding in _in_order(wanted, lb):
        sharing[place].append(binding)
    return [
        _Wish(place, them[0], tuple(dict.fromkeys(one.frontend for one in them)))
        for place, them in sharing.items()
    ]


def _notes(wanted: Sequence[Binding], lb: LoadBalancer) -> tuple[Tell, ...]:
    """Who shares a rule or a listener with somebody who wants it otherwise."""
    rules: dict[Frontend, Binding] = {}
    listeners: dict[tuple[str, int], Binding] = {}
    notes: list[Tell] = []
    for place, one in _in_order(wanted, lb):
        rule, listener = rules.setdefault(place, one), listeners.setdefault(place.listener, one)
        for what, first, differs in (
            ("settings", rule, one.attributes != rule.attributes),
            ("certificate", listener, one.certificate != listener.certificate),
        ):
            if differs:
                message = f"{one.frontend} of {lb.id} has the {what} that {first.owner} wants"
                notes.append(Tell(one.owner, "Warning", "ListenerShared", message))
    return tuple(notes)


def _listening(
    actions: Sequence[Action],
    wishes: Sequence[_Wish],
    groups: Mapping[Frontend, Group],
    conflicts: Mapping[Frontend, str],
    notes: tuple[Tell, ...],
) -> Listening:
    """The result, from what is known by place."""
    said = {frontend: one.place for one in wishes for frontend in one.frontends}
    clashing = {
        frontend: conflicts[place] for frontend, place in said.items() if place in conflicts
    }
    served = {
        frontend: groups[place]
        for frontend, place in said.items()
        if place in groups and place not in conflicts
    }
    absent = frozenset(said.keys() - clashing.keys() - served.keys())
    return Listening(tuple(actions), served, clashing, absent, notes)


def _transport(protocol: str) -> str:
    """TCP or UDP: listeners share a port of a load balancer only when these differ."""
    known = LISTENER_PROTOCOLS.get(protocol)
    return known.transport if known else "TCP"


class _Planner:
    """Plans the listeners of one load balancer where they are ours to make."""

    def __init__(
        self,
        wishes: list[_Wish],
        lb: LoadBalancer,
        settings: Settings,
        removable: Callable[[Group], bool],
    ) -> None:
        self.wishes, self.lb, self.removable = wishes, lb, removable
        self.prefix = prefix(settings)
        # Those of others last: whatever a port has besides, it is theirs.
        listeners = sorted(lb.listeners, key=lambda one: (not self._is_ours(one), one.id))
        self.on = {(_transport(one.protocol), one.port): one for one in listeners}
        self.ours = [one for one in listeners if self._is_ours(one)]
        self.there = _there(self.ours, lb)
        self.conflicts: dict[Frontend, str] = {}

    def plan(self, notes: tuple[Tell, ...]) -> Listening:
        on_port: dict[tuple[str, int], list[_Wish]] = defaultdict(list)
        for wish in self.wishes:
            on_port[_transport(wish.place.protocol), wish.place.port].append(wish)
        actions: list[Action] = []
        for port, wishes in sorted(on_port.items()):
            actions += self._on_port(self.on.get(port), wishes)
        actions += self._unwanted()
        return _listening(actions, self.wishes, self.there, self.conflicts, notes)

    def _is_ours(self, one: Listener) -> bool:
        return one.name.startswith(self.prefix)

    def _on_port(self, there: Listener | None, wishes: list[_Wish]) -> Iterator[Action]:
        """What one port needs; whoever has it keeps it."""
        if there is not None and not self._is_ours(there):
            what = f"{there.protocol} {there.port} of {self.lb.id} is listener {there.id}"
            message = (
                f"{what} ({there.name!r}), which is not ours: choose another port, remove it, "
                "or run the binder with --listeners=existing"
            )
            self.conflicts |= {wish.place: message for wish in wishes}
            return
        protocol = self._protocol(there, wishes)
        served = [wish for wish in wishes if wish.place.protocol == protocol]
        port, owner = served[0].place.port, served[0].first.owner
        message = f"port {port} of {self.lb.id} is {protocol} for {owner}: choose another port"
        self.conflicts |= {
            wish.place: message for wish in wishes if wish.place.protocol != protocol
        }
        if there is None:
            yield self._create(served)
        elif there.protocol == protocol:
            for wish in served:
                yield from self._in_listener(there, wish)

    def _protocol(self, there: Listener | None, wishes: list[_Wish]) -> str:
        """The protocol that a port has or gets: a newcomer takes it from nobody."""
        if there is not None and any(wish.place.protocol == there.protocol for wish in wishes):
            return there.protocol
        return wishes[0].place.protocol

    def _create(self, wishes: list[_Wish]) -> CreateListener:
        place, first = wishes[0].place, wishes[0].first
        frontend = Frontend(place.protocol, place.port)
        if place.layer_7:
            name = _name(self.prefix, _SHARED)
            return CreateListener(frontend, name, Attributes(), first.certificate)
        name = _name(self.prefix, f"{first.owner.namespace}.{first.owner.name}")
        return CreateListener(frontend, name, first.attributes, first.certificate)

    def _in_listener(self, there: Listener, wish: _Wish) -> Iterator[Action]:
        """What a wish needs in a listener of ours."""
        group = self.there.get(wish.place)
        if group is not None:
            changes = _changes(wish.first.attributes, group)
            if changes != Attributes():
                yield Modify(group.listener, group.location, changes)
        elif wish.place.layer_7 and (wish.place.domain or self.lb.addresses):
            # CLB takes no rule without a domain.
            frontend = wish.place._replace(domain=wish.place.domain or self.lb.addresses[0])
            yield CreateRule(there.id, frontend, wish.first.attributes)

    def _unwanted(self) -> Iterator[Action]:
        """Removal of what is ours and wanted by nobody."""
        served = [self.there[wish.place] for wish in self.wishes if wish.place in self.there]
        used = {(group.listener, group.location) for group in served}
        kept = {wish.place.listener for wish in self.wishes}
        for one in self.ours:
            itself = Group(one.id, "", Frontend(one.protocol, one.port), Check())
            groups = one.groups or (itself,)
            unused = [group for group in groups if (group.listener, group.location) not in used]
            going = [group for group in unused if self.removable(group)]
            if (one.protocol, one.port) not in kept and len(going) == len(groups):
                yield DeleteListener(one.id)
            else:
                yield from (DeleteRule(one.id, group.location) for group in going if group.location)


def _changes(wanted: Attributes, group: Group) -> Attributes:
    """Those of `wanted` that `group` does not have; the parts of a health check stay together."""
    has = group.attributes._replace(check=group.check)
    named = {key: value for key, value in wanted._asdict().items() if value is not None}
    differing = {key for key, value in named.items() if not _is_met(key, value, has)}
    if differing & set(_OF_CHECK):
        differing |= named.keys() & set(_OF_CHECK)
    return Attributes(**{key: named[key] for key in differing})


def _is_met(key: str, value: object, has: Attributes) -> bool:
    if isinstance(value, Check) and not value.enabled:
        return has.check is not None and not has.check.enabled  # the rest says nothing then
    return bool(getattr(has, key) == value)


def _name(start: str, rest: str) -> str:
    """The name of a listener, no longer than CLB takes; what is cut off is told apart by a hash."""
    room = _LONGEST_NAME - len(start)
    if len(rest) <= room:
        return start + rest
    digest = hashlib.sha256(rest.encode()).hexdigest()[:8]
    return f"{start}{rest[: room - 9]}-{digest}"
