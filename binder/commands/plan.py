"""``tke-direct-binder plan``: what ``run`` would do now. Reads once, writes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from binder.cloud.codes import CloudError
from binder.cloud.read import Quota
from binder.commands import screen
from binder.commands.assembly import Parts, given
from binder.commands.once import Gate, Outlook, gates, outlooks, see, whose
from binder.commands.trouble import ERROR, NOTHING, SOMETHING, told
from binder.commands.words import count, place, step, where, words
from binder.core.actions import (
    Action,
    CreateListener,
    CreateRule,
    Deregister,
    Register,
    SetAddresses,
    Tell,
    Weigh,
)
from binder.core.bindings import port_of
from binder.core.clb import Frontend, Key
from binder.core.objects import Pod
from binder.core.targets import holders
from binder.core.view import View
from binder.settings import Settings

TARGET_QUOTA = "TOTAL_TARGET_BIND_QUOTA"  # targets of a listener or rule (CLB API, DescribeQuota)


class Doing(NamedTuple):
    """One action of a plan."""

    lane: str
    call: str
    what: str
    where: str
    target: str  # address and port; "" for what is about no target
    why: str


class Waiting(NamedTuple):
    """A target that will go, or may, but not now."""

    target: str
    where: str
    why: str


class Balancer(NamedTuple):
    """The plan of one load balancer."""

    id: str
    addresses: tuple[str, ...]
    doing: tuple[Doing, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    foreign: int = 0  # targets of others where the binder binds too
    notes: tuple[str, ...] = ()
    error: str = ""


class Verdict(NamedTuple):
    """What would become of one gate."""

    pod: str
    gate: str  # open, close, wait
    reason: str
    message: str
    writes: bool  # whether its condition would be written


class Report(NamedTuple):
    """All that the command says."""

    balancers: tuple[Balancer, ...]
    statuses: tuple[str, ...]
    gates: tuple[Verdict, ...]
    warnings: tuple[str, ...]

    @property
    def code(self) -> int:
        """What the command ends with."""
        if any(one.error for one in self.balancers):
            return ERROR
        busy = any(one.doing or one.waiting for one in self.balancers)
        written = any(one.writes for one in self.gates)
        return SOMETHING if busy or written or self.statuses else NOTHING


def plan(output: str, **options: Any) -> int:
    """Print what ``run`` would do; NOTHING, SOMETHING, or ERROR when a load balancer is not known.

    Trouble when the cluster cannot be read.
    """
    place, settings = given(options)
    with told():
        parts = Parts(place, settings, None, leads=False)
        try:
            seen = see(parts.api, settings, parts.clocks)
            lbs = seen.view.load_balancers()
            found = outlooks(seen, parts.clb, lbs, settings, parts.clocks)
            pending = gates(seen, found, settings, parts.clocks)
            quota = _quota(parts) if lbs else {}
        finally:
            parts.close()
    report = compose(seen.view, found, pending, quota, settings)
    screen.show(as_json(report) if output == "json" else as_text(report, settings))
    return report.code


def _quota(parts: Parts) -> Mapping[str, Quota]:
    try:
        return parts.clb.quota().value
    except CloudError:
        return {}  # only good for a remark


# --- what is said


def compose(
    view: View,
    found: Mapping[str, Outlook],
    pending: Iterable[Gate],
    quota: Mapping[str, Quota],
    settings: Settings,
) -> Report:
    """The report, from what was read and planned."""
    plans = [one.plan for one in found.values()]
    tells = [tell for one in view.resolved() for tell in one.tells]
    tells += [tell for made in plans for tell in made.tells]
    return Report(
        tuple(_balancer(view, one, quota, settings) for one in found.values()),
        tuple(_status(write) for made in plans for write in made.addresses),
        tuple(_verdict(one) for one in pending),
        tuple(_warning(tell) for tell in dict.fromkeys(tells)),
    )


def _status(write: SetAddresses) -> str:
    return f"{write.owner}: {', '.join(write.addresses)}"


def _warning(tell: Tell) -> str:
    return f"{tell.about}: {tell.reason}: {tell.message}"


def _verdict(one: Gate) -> Verdict:
    write, pod = one.verdict.write, one.pod
    if write is not None and write.status == "True":
        return Verdict(str(pod.key), "open", write.reason, write.message, True)
    texts = "; ".join(
        f"{binding.owner} {binding.frontend} {binding.lb}: {standing.text}"
        for binding, standing in one.standings
    )
    if write is not None and pod.open:
        return Verdict(str(pod.key), "close", write.reason, write.message, True)
    said = write or pod.condition
    text = texts if pod.containers_ready else "its containers are not ready"
    return Verdict(str(pod.key), "wait", said.reason if said else "", text, write is not None)


def _balancer(view: View, one: Outlook, quota: Mapping[str, Quota], settings: Settings) -> Balancer:
    reading, made = one.reading, one.plan
    if one.error is not None:
        return Balancer(one.lb, reading.addresses, error=str(one.error))
    if reading.absent is not None:
        text = f"CLB knows no {one.lb}; `run` looks twice, {settings.confirm_absent:.0f} s apart"
        return Balancer(one.lb, (), notes=(text,))
    actions = sorted(
        made.actions,
        key=lambda one: (step(one)[0], where(one, reading), str(getattr(one, "key", ""))),
    )
    return Balancer(
        one.lb,
        reading.addresses,
        tuple(_doing(view, action, one, settings) for action in actions),
        tuple(_waiting(view, one, settings)),
        made.foreign,
        tuple(_notes(one, quota)),
    )


def _doing(view: View, action: Action, one: Outlook, settings: Settings) -> Doing:
    call, key = step(action)[1], getattr(action, "key", None)
    target, why = "", ""
    if isinstance(key, Key):
        target, why = f"{key.ip}:{key.port}", _why(view, key, action)
    elif isinstance(action, (CreateListener, CreateRule)):
        pods = _pods_behind(view, one, action.frontend)
        why = f"then {count(pods, 'Pod')} will be bound" if pods else "no Pod is there for it yet"
    return Doing(
        call.lane.name.lower(), call.api, words(action), where(action, one.reading), target, why
    )


def _why(view: View, key: Key, action: Action) -> str:
    pods = view.at(key.ip)
    names = ", ".join(str(pod.key) for pod in pods)
    if isinstance(action, Deregister) or (isinstance(action, Weigh) and not action.weight):
        return _leaving(pods, names)
    return f"Pod {names}"


def _leaving(pods: Iterable[Pod], names: str) -> str:
    pods = list(pods)
    if not pods:
        return "no Pod has this address"
    if any(pod.terminating for pod in pods):
        return f"Pod {names} is being deleted"
    if any(pod.updating for pod in pods):
        return f"Pod {names} is updated in place"
    return f"nothing selects Pod {names} for it"


def _pods_behind(view: View, one: Outlook, frontend: Frontend) -> int:
    """How many Pods will be bound to what is made now; a listener of layer 7 is made for rules."""
    return len(
        {
            pod.uid
            for binding in view.bindings_on(one.lb)
            if binding.frontend.listener == frontend.listener
            for pod in view.selected(binding)
            if pod.containers_ready and not pod.terminating and port_of(pod, binding) is not None
        }
    )


def _waiting(view: View, one: Outlook, settings: Settings) -> Iterator[Waiting]:
    """Targets of ours that nobody wants, and about which nothing is done yet."""
    reading, ledger = one.reading, one.plan.memory.ledger
    staying, _ = holders(view, view.bindings_on(one.lb), one.listening.groups)
    acted = {getattr(action, "key", None) for action in one.plan.actions}
    for key, target in sorted(reading.targets.items()):
        if key in acted or key in staying or not whose(key, target, reading, settings).ours:
            continue
        pods = view.at(key.ip)
        gone = _leaving(pods, ", ".join(str(pod.key) for pod in pods))
        if key in ledger.drained:
            why = f"unbound when it has been at weight 0 for {settings.drain:.0f} s"
        elif key in ledger.held:
            why = "held by the brake: many would go at once; `run` asks the API server first"
        else:
            why = "the last one that serves; it stays until another one is Alive"
        yield Waiting(f"{key.ip}:{key.port}", place(key, reading), f"{gone}; {why}")


def _notes(one: Outlook, quota: Mapping[str, Quota]) -> Iterator[str]:
    for frontend, conflict in sorted(one.listening.conflicts.items()):
        yield f"{frontend} cannot be had: {conflict}"
    most = quota.get(TARGET_QUOTA)
    if most is None:
        return
    there: dict[tuple[str, str], set[Key]] = {}
    new = [action.key for action in one.plan.actions if isinstance(action, Register)]
    for key in (*one.reading.targets, *new):
        there.setdefault((key.listener, key.location), set()).add(key)
    for keys in there.values():
        if len(keys) > most.limit:
            text = f"{place(min(keys), one.reading)} would have {count(len(keys), 'target')}"
            yield f"{text}, the region's quota is {most.limit} ({TARGET_QUOTA})"


# --- how it is said


def as_json(report: Report) -> str:
    """For programs: the fields of Report, and `changes`, which is false for exit code 0."""
    return json.dumps(
        {
            "changes": report.code == SOMETHING,
            "load_balancers": [
                {
                    **one._asdict(),
                    "doing": [each._asdict() for each in one.doing],
                    "waiting": [each._asdict() for each in one.waiting],
                }
                for one in report.balancers
            ],
            "statuses": report.statuses,
            "gates": [one._asdict() for one in report.gates],
            "warnings": report.warnings,
        },
        indent=2,
        ensure_ascii=False,
    )


_COLOURS = {
    "drain": screen.WAIT,
    "listeners": screen.WAIT,
    "register": screen.GOOD,
    "deregister": screen.BAD,
    "open": screen.GOOD,
    "close": screen.WAIT,
}


def as_text(report: Report, settings: Settings) -> str:
    """For people."""
    lines: list[str] = []
    for one in report.balancers:
        lines += [*_section(one), ""]
    if report.statuses:
        lines += ["status.loadBalancer", *(f"  {text}" for text in report.statuses), ""]
    if report.gates:
        rows = [(_coloured(one.gate), one.pod, one.reason, one.message) for one in report.gates]
        lines += ["readiness gates", *screen.columns(rows), ""]
    if report.warnings:
        lines += ["warnings", *(f"  {text}" for text in report.warnings), ""]
    return "\n".join([*lines, *_summary(report, settings)])


def _section(one: Balancer) -> list[str]:
    head = "  ".join(filter(None, (one.id, ", ".join(one.addresses))))
    if one.error:
        return [f"{head}  {screen.paint(f'not read: {one.error}', screen.BAD)}"]
    foreign = f"  {count(one.foreign, 'target')} of others, left alone" if one.foreign else ""
    quiet = "" if one.doing or one.waiting or one.notes else "  nothing to do"
    rows = [(_coloured(each.lane), *each[2:]) for each in one.doing]
    rows += [
        (screen.paint("wait", screen.FAINT), "", w.where, w.target, w.why) for w in one.waiting
    ]
    notes = [f"  note: {text}" for text in one.notes]
    return [f"{head}{quiet}{foreign}", *screen.columns(rows), *notes]


def _coloured(word: str) -> str:
    return screen.paint(word, _COLOURS.get(word, screen.FAINT))


def _summary(report: Report, settings: Settings) -> list[str]:
    doing = sum(len(one.doing) for one in report.balancers)
    waiting = sum(len(one.waiting) for one in report.balancers)
    opened = sum(one.gate == "open" for one in report.gates)
    shut = len(report.gates) - opened
    text = (
        f"{count(doing, 'action')} on {count(len(report.balancers), 'load balancer')}, "
        f"{count(waiting, 'target')} waiting to go, "
        f"{count(opened, 'gate')} to open, {shut} waiting."
    )
    lines = [text, "Nothing was written."]
    if any(one.lane == "deregister" for each in report.balancers for one in each.doing):
        quarantine = f"{settings.quarantine:.0f} s"
        lines.append(f"A binder that takes over unbinds nothing in its first {quarantine}.")
    return lines


__all__ = ["as_json", "as_text", "compose", "plan"]
