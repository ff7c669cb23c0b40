"""``tke-direct-binder explain``: why one Pod waits, on one screen."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from binder.cluster.api import NOT_FOUND, Api, Failed, Json, Refused
from binder.cluster.project import PODS, pods
from binder.commands import screen
from binder.commands.advice import ORDER, Situation, advice
from binder.commands.assembly import LEASE_NAME, Parts, Place, given
from binder.commands.once import EVERYWHERE, Outlook, Seen, outlooks, see, whose
from binder.commands.trouble import NOTHING, SOMETHING, Trouble, told
from binder.commands.words import count, span
from binder.core import tag
from binder.core.bindings import Binding, port_of
from binder.core.clb import ALIVE, CLOSE, DEAD, Group, Key
from binder.core.objects import Name, Owner, Pod
from binder.settings import Settings
from schemas.contract import READINESS_GATE

FORBIDDEN = 403
_WIDTH = 12  # of the names on the left
_LONGEST = 96  # characters of a line of advice


class Facts(NamedTuple):
    """What the planner does not need of a Pod, and people do; ages in seconds."""

    ready: int
    containers: int
    states: tuple[str, ...]  # of containers that are not ready
    ready_for: float | None  # since ContainersReady became what it is
    gate_for: float | None


class Holder(NamedTuple):
    """The binder that leads, as its lease says."""

    alive: bool
    text: str


class Line(NamedTuple):
    """One binding of the Pod."""

    binding: Binding
    situation: Situation
    detail: str  # what exactly, where the situation is more than one thing
    group: Group | None = None
    target: str = ""
    bound: str = ""  # weight, health, and whose it is


class Story(NamedTuple):
    """All that is said about one Pod."""

    pod: Pod
    facts: Facts
    holder: Holder
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()
    elsewhere: tuple[Owner, ...] = ()  # for whom TKE's own controller opens the gate

    @property
    def code(self) -> int:
        """SOMETHING while the gate keeps the Pod waiting."""
        waits = self.pod.gated and not self.pod.open and not self.pod.over
        return SOMETHING if waits else NOTHING


def explain(name: str, pod_namespace: str | None, **options: Any) -> int:
    """Print the story of the Pod; Trouble when there is no such Pod, or it cannot be read."""
    wanted = parse(name, pod_namespace)
    place, settings = given(options)
    with told():
        parts = Parts(place, settings, None, leads=False)
        try:
            story = _story(parts, place, wanted, settings)
        finally:
            parts.close()
    screen.show(as_text(story))
    return story.code


def parse(name: str, namespace: str | None) -> Name:
    """NAMESPACE/POD, or POD with a namespace beside it."""
    before, _, after = name.rpartition("/")
    if before and namespace and before != namespace:
        raise Trouble(f"{name}: the namespace is {before} here, and {namespace} in -n")
    found = Name(before or namespace or "", after)
    if not found.namespace or not found.name or "/" in found.namespace:
        raise Trouble(f"{name!r} names no Pod: write NAMESPACE/POD, or -n NAMESPACE POD")
    return found


# --- what is known


def _story(parts: Parts, place: Place, wanted: Name, settings: Settings) -> Story:
    now = time.time()
    raw = _pod(parts.api, wanted)
    pod = pods(settings.gate).project(raw)
    seen, notes = _see(parts, wanted.namespace, settings)
    # The newest that was seen of the Pod goes with its facts.
    seen.view.put(pod, seen.began)
    bindings = seen.view.bindings_of(pod)
    found = outlooks(
        seen, parts.clb, {one.lb for one in bindings if one.lb}, settings, parts.clocks
    )
    lines = [line(pod, one, found.get(one.lb), settings) for one in bindings]
    lines.sort(key=lambda one: (not one.binding.gating, ORDER.index(one.situation)))
    holder = _holder(parts.api, place.namespace, now)
    elsewhere = tuple(seen.view.elsewhere(pod))
    return Story(pod, facts(raw, now, settings.gate), holder, tuple(lines), tuple(notes), elsewhere)


def _pod(api: Api, wanted: Name) -> Json:
    """By a list, which the binder's own role allows, where a get it does not."""
    query = {"fieldSelector": f"metadata.name={wanted.name}"}
    items = api.call("GET", PODS.path(wanted.namespace), query).get("items")
    if not isinstance(items, list) or not items or not isinstance(items[0], dict):
        raise Trouble(
            f"there is no Pod {wanted}; kubectl get pods -n {wanted.namespace} lists them"
        )
    return items[0]


def _see(parts: Parts, namespace: str, settings: Settings) -> tuple[Seen, list[str]]:
    """All namespaces where that is allowed: others may have the same load balancer."""
    try:
        return see(parts.api, settings, parts.clocks, EVERYWHERE), []
    except Refused as error:
        if error.status != FORBIDDEN:
            raise
    note = f"only namespace {namespace} may be read; what others do on a load balancer is not known"
    return see(parts.api, settings, parts.clocks, namespace), [note]


def facts(raw: Json, now: float, gate: str = READINESS_GATE) -> Facts:
    """What stands in the status of a Pod; `now` in seconds since the epoch."""
    status = _map(raw.get("status"))
    rows = [_map(one) for one in _list(status.get("containerStatuses"))]
    there = len(_list(_map(raw.get("spec")).get("containers")))
    conditions = {one.get("type"): one for one in map(_map, _list(status.get("conditions")))}
    return Facts(
        sum(row.get("ready") is True for row in rows),
        max(there, len(rows)),
        tuple(_state(row) for row in rows if row.get("ready") is not True),
        _age(conditions.get("ContainersReady"), now),
        _age(conditions.get(gate), now),
    )


def _state(row: Mapping[str, Any]) -> str:
    (kind, more), *_ = [*_map(row.get("state")).items(), ("not started", {})]
    reason = _map(more).get("reason")
    text = str(reason) if reason else "running, its probe fails" if kind == "running" else str(kind)
    return f"{row.get('name')}: {text}"


def _age(condition: Mapping[str, Any] | None, now: float) -> float | None:
    at = _seconds((condition or {}).get("lastTransitionTime"))
    return None if at is None else now - at


def _holder(api: Api, namespace: str, now: float) -> Holder:
    path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{LEASE_NAME}"
    try:
        lease = api.call("GET", path)
    except Refused as error:
        if error.status == NOT_FOUND:
            text = (
                f"there is no lease {namespace}/{LEASE_NAME}: it never ran, or not in {namespace}"
            )
            return Holder(False, text)
        return Holder(True, f"not known, its lease could not be read: {error.said}")
    except Failed as error:
        return Holder(True, f"not known, its lease could not be read: {error}")
    return holder(lease, now)


def holder(lease: Json, now: float) -> Holder:
    """Whether somebody leads, by a lease; clocks of machines may differ by some seconds."""
    spec = _map(lease.get("spec"))
    name, renewed = spec.get("holderIdentity"), _seconds(spec.get("renewTime"))
    lasts = spec.get("leaseDurationSeconds")
    if not name or renewed is None:
        return Holder(False, "nobody leads: its lease was given back")
    age = now - renewed
    text = f"{name} leads, renewed {span(age)} ago"
    if age > 2 * (lasts if isinstance(lasts, int) else 0):
        return Holder(False, f"nobody leads: {name} has not renewed its lease for {span(age)}")
    return Holder(True, text)


def _seconds(stamp: object) -> float | None:
    try:
        return datetime.fromisoformat(str(stamp).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


def _map(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


# --- how the Pod stands with one binding


def line(pod: Pod, binding: Binding, found: Outlook | None, settings: Settings) -> Line:
    """What one reading says about `pod` behind `binding`."""
    early = _before_reading(pod, binding)
    if early is not None:
        return Line(binding, early, "")
    if found is None or found.error is not None:
        return Line(binding, Situation.CLB_UNREADABLE, str(found.error) if found else "")
    if found.reading.absent is not None:
        return Line(binding, Situation.NO_SUCH_LB, binding.lb)
    conflict = found.listening.conflicts.get(binding.frontend)
    if conflict:
        return Line(binding, Situation.CONFLICT, conflict)
    group = found.listening.groups.get(binding.frontend)
    if group is None:
        owned = settings.manage_listeners
        return Line(binding, Situation.LISTENER_COMES if owned else Situation.LISTENER_MISSING, "")
    port = port_of(pod, binding)
    assert port is not None  # else it would have no port
    key = Key(group.listener, group.location, pod.ip, port)
    situation, bound = _at(pod, key, group, found, settings)
    return Line(binding, situation, "", group, f"{pod.ip or 'no address'}:{port}", bound)


def _before_reading(pod: Pod, binding: Binding) -> Situation | None:
    checks: Sequence[tuple[Callable[[], bool], Situation]] = (
        (lambda: not binding.lb, Situation.NOT_PROVISIONED),
        (lambda: pod.host_network, Situation.HOST_NETWORK),
        (lambda: port_of(pod, binding) is None, Situation.NO_PORT),
        (lambda: pod.weight == 0, Situation.NO_WEIGHT),
    )
    return next((situation for holds, situation in checks if holds()), None)


def _at(
    pod: Pod, key: Key, group: Group, found: Outlook, settings: Settings
) -> tuple[Situation, str]:
    """The situation of a target, and what is bound there in a few words."""
    target = found.reading.targets.get(key)
    if not pod.containers_ready and target is None:
        return Situation.NOT_READY, "not bound"
    if target is None:
        return Situation.NOT_BOUND, "not bound"
    health, owner = found.reading.health.get(key), whose(key, target, found.reading, settings)
    said = "health not known" if health is None else health.detail
    mine = tag.mark(settings.cluster, pod.uid).uid
    stranger = owner.ours and owner.uid not in ("", mine)
    by = "ours, marked for an earlier Pod" if stranger else owner.text
    bound = f"weight {target.weight}, {said}, {by}"
    if pod.updating:
        return Situation.UPDATING, bound
    if not pod.containers_ready:
        return Situation.NOT_READY, bound
    if target.weight == 0:
        return (Situation.WEIGHT_0 if owner.ours else Situation.FOREIGN), bound
    if not group.check.enabled:
        return Situation.NO_CHECK, bound
    if health is None:
        return Situation.NO_HEALTH, bound
    if health.detail == ALIVE:
        return (Situation.SERVING if pod.open else Situation.ALIVE), bound
    return {DEAD: Situation.DEAD, CLOSE: Situation.STOPPED}.get(
        health.detail, Situation.UNKNOWN
    ), bound


# --- how it is said


def as_text(story: Story) -> str:
    """One screen: what blocks comes first."""
    lines = [*_head(story), ""]
    groups = (
        ("waits for", [one for one in story.lines if _blocks(story, one)]),
        ("passed", [one for one in story.lines if not _blocks(story, one)]),
    )
    for title, rows in groups:
        if rows:
            lines += [title, *(text for one in rows for text in _line(one, story)), ""]
    if not story.lines:
        lines += ["No Service or Ingress that the binder serves selects this Pod.", ""]
    lines += [f"note: {text}" for text in story.notes]
    return "\n".join([*lines, *_verdict(story)])


def _blocks(story: Story, one: Line) -> bool:
    return not story.pod.open and one.binding.gating and not one.situation.case.passes


def _head(story: Story) -> Iterator[str]:
    pod, known = story.pod, story.facts
    state, colour = _state_of(pod)
    yield f"{screen.paint(state, colour)}  Pod {pod.key}"
    yield ""
    ready = f"{known.ready}/{known.containers} ready"
    since = "" if known.ready_for is None else f" for {span(known.ready_for)}"
    if pod.containers_ready:
        yield _row("containers", f"{ready}{since}")
    else:
        yield _row("containers", f"{ready}; {', '.join(known.states) or 'not started'}", screen.BAD)
    network = ", on the host's network" if pod.host_network else ""
    yield _row("address", f"{pod.ip or 'none yet'}{f' on {pod.node}' if pod.node else ''}{network}")
    yield _row("gate", _gate(pod, known))
    if pod.condition is not None and pod.condition.message:
        yield _row("", pod.condition.message)
    yield _row("binder", story.holder.text, "" if story.holder.alive else screen.BAD)


def _state_of(pod: Pod) -> tuple[str, str]:
    if not pod.gated:
        return "NO GATE", screen.WAIT
    return ("OPEN", screen.GOOD) if pod.open else ("WAITING", screen.WAIT)


def _gate(pod: Pod, known: Facts) -> str:
    if not pod.gated:
        return "not in spec.readinessGates"
    if pod.condition is None:
        return "nobody has written its condition yet"
    since = "" if known.gate_for is None else f", for {span(known.gate_for)}"
    return f"{pod.condition.status}  {pod.condition.reason}{since}"


def _row(name: str, text: str, colour: str = "") -> str:
    return f"  {name:{_WIDTH}}{screen.paint(text, colour) if colour else text}".rstrip()


def _line(one: Line, story: Story) -> Iterator[str]:
    blocks, case = _blocks(story, one), one.situation.case
    colour = screen.BAD if blocks else screen.GOOD if case.passes else screen.FAINT
    listener = "" if one.group is None else f"/{one.group.location or one.group.listener}"
    place = f"{one.binding.lb}{listener}" if one.binding.lb else "no load balancer"
    parts = (
        str(one.binding.owner),
        str(one.binding.frontend),
        place,
        one.target,
        one.bound,
        "" if one.binding.gating else "no gate waits for it",
    )
    yield f"  {screen.paint('!' if blocks else '-', colour)} {'  '.join(filter(None, parts))}"
    if blocks or (case.advice and one.situation is not Situation.ALIVE):
        why = f"{case.text}{f': {one.detail}' if one.detail else ''}"
        yield f"    {screen.paint(why, colour)}"
        text = f"→ {advice(one.situation, **_names(one, story.pod))}"
        yield from textwrap.wrap(text, _LONGEST, initial_indent="    ", subsequent_indent="      ")


def _names(one: Line, pod: Pod) -> dict[str, str]:
    binding = one.binding
    return {
        "lb": binding.lb,
        "frontend": str(binding.frontend),
        "owner": str(binding.owner),
        "port": str(binding.target_port),
        "pod": str(pod.key),
    }


def _verdict(story: Story) -> Iterator[str]:
    """The last word: what has to happen for the gate to open."""
    pod = story.pod
    if not pod.gated:
        yield (
            "The Pod is Ready without CLB: no rollout waits for it. "
            "Put the gate into the template: tke-direct transform, or the webhook."
        )
    elif pod.open:
        yield "The gate is open; what CLB does will not close it."
    elif pod.terminating:
        yield "The Pod is being deleted; its gate is not looked at any more."
    elif story.elsewhere:
        yield (
            f"TKE's own controller opens the gate, for {story.elsewhere[0]}; the binder leaves it "
            "alone. With --readiness-gate it can have one of its own."
        )
    elif not story.holder.alive:
        yield screen.paint("Nobody opens gates now:", screen.BAD) + " start the binder first."
    elif not pod.containers_ready:
        yield "The gate opens after the containers are ready."
    elif blocking := [one for one in story.lines if _blocks(story, one)]:
        yield f"The gate waits for {count(len(blocking), 'binding')}."
    else:
        yield "Nothing is left to wait for; the binder opens the gate when it has made sure."
