"""``tke-direct-binder selftest``: what only a real CLB can say, asked of listeners of its own.

It makes listeners on free ports, one after the other, binds one address to them, looks, and removes
all of it. The answers say whether the numbers in ``binder.settings`` fit this account.
"""

from __future__ import annotations

import ipaddress
import json
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

from binder.cloud.clb import Clb
from binder.cloud.client import Client
from binder.cloud.codes import CloudError
from binder.cloud.write import Writer
from binder.commands import screen
from binder.commands.assembly import Place, reach
from binder.commands.trouble import NOTHING, SOMETHING, Trouble, told
from binder.commands.words import count
from binder.core import tag
from binder.core.actions import (
    Action,
    CreateListener,
    CreateRule,
    DeleteListener,
    Deregister,
    Register,
    Retag,
    Weigh,
)
from binder.core.clb import ALIVE, UNKNOWN, Attributes, Frontend, Health, Key, Listener, Target
from binder.settings import Settings

PREFIX = "tke-direct/selftest-"  # not what names of the binder's own listeners begin with
PORTS = range(64999, 60000, -1)
LONGEST = 30.0  # seconds that anything is waited for
PAUSE = 0.25  # seconds between two looks
ATTEMPTS = 5  # at removing what was made
_NO_LB = "lb-00000000"
_HEAVY, _LIGHT = 10, 7

T = TypeVar("T")


class Answer(NamedTuple):
    """One line of the report; `fits` is False where the binder's assumptions do not hold."""

    question: str
    answer: str
    seconds: float | None
    meaning: str
    fits: bool = True


class Interrupted(Exception):
    """Somebody wants it to end."""


class Bench:
    """Listeners of our own on `lb`, and one address to try things with.

    `wait` raises Interrupted when the command is to end, `rest` never does.
    """

    def __init__(
        self,
        clb: Clb,
        client: Client,
        lb: str,
        target: tuple[str, int],
        settings: Settings,
        clock: Callable[[], float],
        wait: Callable[[float], None],
        note: Callable[[str], None],
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        self.clb, self.client, self.lb, self.settings = clb, client, lb, settings
        self.clock, self.wait, self.note, self._rest = clock, wait, note, rest
        self.name = f"{PREFIX}{secrets.token_hex(4)}"
        self._target = target
        self.listener: Listener | None = None
        self._unsure = False  # a listener may have been made that has not been seen yet

    @property
    def key(self) -> Key:
        assert self.listener is not None
        return Key(self.listener.id, "", *self._target)

    def do(self, action: Action) -> None:
        """Do it; CloudError when it fails."""
        code = self.tried(action)
        if code is not None:
            raise code

    def tried(self, action: Action) -> CloudError | None:
        """The error of `action`, None when CLB says that it is done."""
        self.wait(0)
        (outcome,) = self.clb.perform(self.lb, [action])
        return outcome.error

    def bound(self) -> Target | None:
        return self.clb.targets(self.lb).value.get(self.key)

    def health(self, key: Key | None = None) -> Health | None:
        return self.clb.health([self.lb]).value.get(self.lb, {}).get(key or self.key)

    def until(
        self, look: Callable[[], T], good: Callable[[T], bool], began: float | None = None
    ) -> tuple[T, float | None]:
        """What `look` says once it is `good`, and how long after `began`, which is now if None.

        No time: not within LONGEST.
        """
        began = self.clock() if began is None else began
        while True:
            found, now = look(), self.clock()
            if good(found):
                return found, now - began
            if now - began > LONGEST:
                return found, None
            self.wait(PAUSE)

    def make(self, protocol: str) -> tuple[Listener, float, float | None]:
        """A listener on a free port; how long the call took, and how long until it shows."""
        port = free_port(self.clb.listeners(self.lb).value)
        there = {one.id for one in self.own()}
        self.note(f"making the listener {self.name}, {protocol} {port}, on {self.lb}")
        self._unsure, began = True, self.clock()
        self.do(CreateListener(Frontend(protocol, port), self.name, Attributes()))
        made = self.clock()
        found, took = self.until(
            lambda: [one for one in self.own() if one.id not in there], bool, made
        )
        if not found:
            raise Trouble(f"{self.lb} shows no listener {self.name} though CLB says it was made")
        self._unsure = False
        return found[0], made - began, took

    def own(self) -> list[Listener]:
        """The listeners that this run has made."""
        return [one for one in self.clb.listeners(self.lb).value if one.name == self.name]

    def clean(self) -> None:
        """Remove what was made, targets with it; Trouble says what could not be removed."""
        error: CloudError | None = None
        for attempt in range(ATTEMPTS):
            if attempt:
                self._rest(1.0)
            try:
                left = self.own()
                outcomes = self.clb.perform(self.lb, [DeleteListener(one.id) for one in left])
            except CloudError as failed:
                error = failed
                continue
            if not left and (attempt or not self._unsure):
                return  # what has not been seen may show late, so it is looked for twice
            error = next((one.error for one in outcomes if one.error), None)
        raise Trouble(
            f"the listener {self.name} on {self.lb} may be left ({error or 'it still shows'}): "
            "remove it by hand"
        )


# --- the questions; each needs what those before it have made


def listener_shows(bench: Bench) -> Iterator[Answer]:
    """Makes the listener."""
    bench.listener, made, took = bench.make("TCP")
    yield Answer("How long does making a listener take?", "made", made, "")
    yield _lag("When does DescribeListeners show it?", took, bench.settings)


def target_shows(bench: Bench) -> Iterator[Answer]:
    """Registers the address, with a tag as the binder writes them."""
    mark = tag.write(tag.mark("selftest", "0123456789abcdef"))
    bench.do(Register(bench.key, _HEAVY, mark))
    found, took = bench.until(bench.bound, lambda one: one is not None)
    yield _lag("When does DescribeTargets show a new target?", took, bench.settings)
    if found is None:
        raise Trouble(f"CLB says that {bench.key.ip} is bound, and does not show it")
    echoed = found.tag == mark
    yield Answer(
        "Does DescribeTargets give the Tag back?",
        "yes" if echoed else f"no: {found.tag!r}",
        None,
        "targets are known as ours by their tags"
        if echoed
        else "ownership goes by listener: let the binder use listeners of its own",
        echoed,
    )


def health_at_first(bench: Bench) -> Iterator[Answer]:
    """Needs a target that was bound just now."""
    found, took = bench.until(bench.health, lambda one: one is not None)
    yield _lag("When does DescribeTargetHealth show a new target?", took, bench.settings)
    detail = found.detail if found else "nothing"
    yield Answer(
        "What is the health of a new target?",
        detail,
        None,
        "gates open as soon as it turns Alive"
        if detail == UNKNOWN
        else "gates wait until a dead target would have been noticed",
        detail != ALIVE,
    )
    weight = found.weight if found else None
    yield Answer(
        "Does DescribeTargetHealth give the weight?",
        "yes" if weight == _HEAVY else f"no: {weight}",
        None,
        "one call tells health and weight",
        weight == _HEAVY,
    )


def registering_again(bench: Bench) -> Iterator[Answer]:
    """Registers the same target with another weight and another tag."""
    other = tag.write(tag.mark("selftest", "fedcba9876543210"))
    bench.do(Register(bench.key, _LIGHT, other))
    bench.wait(bench.settings.read_lag)
    found = bench.bound()
    weight, mark = (found.weight, found.tag) if found else (None, "")
    yield Answer(
        "Does registering again keep the weight?",
        "yes" if weight == _HEAVY else f"no: it is {weight}",
        None,
        "the binder sets weights by their own call, so either will do",
    )
    yield Answer(
        "Does registering again change the Tag?",
        "yes" if mark == other else "no",
        None,
        "the binder marks by BatchModifyTargetTag, so either will do",
    )
    third = tag.write(tag.mark("selftest", "0" * 16))
    began = bench.clock()
    bench.do(Retag(bench.key, third))
    done = bench.clock() - began
    found, took = bench.until(bench.bound, lambda one: one is not None and one.tag == third)
    yield Answer(
        "Does BatchModifyTargetTag change the Tag?",
        "no" if took is None else "yes",
        None if took is None else done + took,
        "an address that a new Pod has is marked anew",
        took is not None,
    )


def weight_0(bench: Bench) -> Iterator[Answer]:
    """Drains the target."""
    began = bench.clock()
    bench.do(Weigh(bench.key, 0))
    done = bench.clock()
    called = done - began
    _, shown = bench.until(bench.bound, lambda one: one is not None and one.weight == 0, done)
    _, in_health = bench.until(bench.health, lambda one: one is not None and one.weight == 0, done)
    yield Answer(
        "How long does setting weight 0 take?",
        "done",
        called,
        f"preStop hooks: {bench.settings.take_over:.0f} s to take over + this + 2 s at least",
        bench.settings.take_over + called + 2 <= bench.settings.pre_stop,
    )
    yield _lag("When does DescribeTargets show weight 0?", shown, bench.settings)
    yield _lag("When does DescribeTargetHealth show weight 0?", in_health, bench.settings)


def unbinding(bench: Bench) -> Iterator[Answer]:
    """Unbinds the target, and once more."""
    bench.do(Deregister(bench.key))
    _, took = bench.until(bench.bound, lambda one: one is None)
    yield _lag("When does DescribeTargets show that it is unbound?", took, bench.settings)
    error = bench.tried(Deregister(bench.key))
    yield Answer(
        "What does unbinding say of a target that is not bound?",
        "nothing" if error is None else error.code,
        None,
        "harmless: then the binder reads again",
        error is None or error.kind.name in ("CHANGED", "WRONG"),
    )


def history(bench: Bench) -> Iterator[Answer]:
    """Binds the same address again."""
    bench.do(Register(bench.key, _HEAVY, ""))
    found, _ = bench.until(bench.health, lambda one: one is not None)
    detail = found.detail if found else "nothing"
    yield Answer(
        "What is the health of a target that was bound before?",
        detail,
        None,
        "CLB begins anew" if detail == UNKNOWN else "it may be that of who had the address before",
    )


def what_is_not_there(bench: Bench) -> Iterator[Answer]:
    """Deletes the listener; which errors there are for what does not exist."""
    key = bench.key
    bench.do(DeleteListener(key.listener))
    _, took = bench.until(bench.own, lambda left: not left)
    yield _lag("When does DescribeListeners show that it is gone?", took, bench.settings)
    error = bench.tried(Deregister(key))
    yield _kind("What does a write say to a listener that is not there?", error)
    missing: CloudError | None = None
    try:
        bench.client.call("DescribeTargets", {"LoadBalancerId": _NO_LB})
    except CloudError as failed:
        missing = failed
    yield _kind("What does a read say of a load balancer that is not there?", missing)


def layer_7(bench: Bench) -> Iterator[Answer]:
    """Makes a listener of HTTP with a rule, and binds the address to that."""
    listener, _, _ = bench.make("HTTP")
    frontend = Frontend("HTTP", listener.port, "selftest.example", "/")
    bench.do(CreateRule(listener.id, frontend, Attributes()))
    found, _ = bench.until(bench.own, lambda own: any(one.groups for one in own))
    groups = [group for one in found if one.id == listener.id for group in one.groups]
    if not groups:
        raise Trouble(f"{bench.lb} shows no rule though CLB says it was made")
    key = bench.key._replace(listener=listener.id, location=groups[0].location)
    bench.do(Register(key, _HEAVY, ""))
    health, _ = bench.until(lambda: bench.health(key), lambda one: one is not None)
    weight = health.weight if health else None
    yield Answer(
        "Does DescribeTargetHealth give the weight behind a rule?",
        "yes" if weight == _HEAVY else f"no: {weight}",
        None,
        "one call tells health and weight",
        weight == _HEAVY,
    )


QUESTIONS: tuple[Callable[[Bench], Iterator[Answer]], ...] = (
    listener_shows,
    target_shows,
    health_at_first,
    registering_again,
    weight_0,
    unbinding,
    history,
    what_is_not_there,
    layer_7,
)


def _lag(question: str, took: float | None, settings: Settings) -> Answer:
    """What is written has to show within read_lag."""
    if took is None:
        return Answer(question, f"not within {LONGEST:.0f} s", None, "read_lag is too short", False)
    fits = took <= settings.read_lag
    word = "is enough" if fits else "is too short: raise it above this"
    return Answer(question, "shown", took, f"read_lag, {settings.read_lag:g} s, {word}", fits)


def _kind(question: str, error: CloudError | None) -> Answer:
    if error is None:
        return Answer(question, "nothing", None, "the binder expects an error", False)
    fits = error.kind.name == "CHANGED"
    meaning = (
        "then the binder reads again" if fits else f"the binder takes it for {error.kind.name}"
    )
    return Answer(question, error.code, None, meaning, fits)


def free_port(listeners: tuple[Listener, ...]) -> int:
    """A high port that no listener has, of whatever protocol."""
    taken = {one.port for one in listeners}
    for port in PORTS:
        if port not in taken:
            return port
    raise Trouble("no port from 60001 to 64999 is free")


# --- the command


def parse(target: str) -> tuple[str, int]:
    """IP:PORT, with an address of IPv6 in brackets."""
    address, _, port = target.rpartition(":")
    try:
        ip = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        raise Trouble(f"--target {target}: write IP:PORT") from None
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise Trouble(f"--target {target}: the port is a number from 1 to 65535")
    return ip.compressed, int(port)


def ask(bench: Bench) -> list[Answer]:
    """All answers; everything that was made is removed, whatever happens."""
    answers: list[Answer] = []
    try:
        for question in QUESTIONS:
            for answer in question(bench):
                answers.append(answer)
                bench.note(one_line(answer))
    finally:
        bench.note(f"removing what is left of {bench.name}")
        bench.clean()
    return answers


def one_line(answer: Answer) -> str:
    """For the progress."""
    took = "" if answer.seconds is None else f", {answer.seconds:.2f} s"
    return f"{answer.question} {answer.answer}{took}"


def selftest(
    *,
    lb: str,
    target: str,
    yes: bool,
    output: str,
    region: str,
    endpoint: str,
    credentials_dir: Path,
    confirm: Callable[[str], bool],
) -> int:
    """Ask, and print the report; SOMETHING when an answer does not fit the binder's settings.

    `confirm` asks a person. Trouble when CLB refuses, or when something could not be removed.
    """
    address, settings = parse(target), Settings(endpoint=endpoint)
    _, _, client = reach(Place(region, credentials=credentials_dir), settings, None, lambda: True)
    try:
        with told():
            clb = Clb(client, Writer(client))
            if lb not in clb.load_balancers([lb]).value:
                raise Trouble(f"there is no load balancer {lb} in {region}")
            if not (yes or confirm(_what(lb, target))):
                raise Trouble("nothing was done")
            with _interruptible() as wait:
                bench = Bench(clb, client, lb, address, settings, time.monotonic, wait, screen.note)
                answers = ask(bench)
    except Interrupted:
        raise Trouble("interrupted; what was made has been removed") from None
    finally:
        client.close()
    screen.show(as_json(lb, answers) if output == "json" else as_text(lb, answers))
    return NOTHING if all(one.fits for one in answers) else SOMETHING


def _what(lb: str, target: str) -> str:
    return (
        f"Listeners {PREFIX}… will be made on {lb} and {target} bound to them, for about a minute; "
        "health checks will probe it. Nothing else is touched. Go on?"
    )


@contextmanager
def _interruptible() -> Iterator[Callable[[float], None]]:
    """A way to wait that raises Interrupted after SIGINT or SIGTERM; calls are not cut off.

    A call that was cut off might make something that nobody removes then.
    """
    over = threading.Event()

    def wait(seconds: float) -> None:
        if over.wait(seconds):
            raise Interrupted

    def end(_number: int, _frame: object) -> None:
        screen.note("ending as soon as what was made has been removed")
        over.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield wait
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def as_json(lb: str, answers: list[Answer]) -> str:
    """For programs."""
    rows = [one._asdict() for one in answers]
    report = {"lb": lb, "fits": all(one.fits for one in answers), "answers": rows}
    return json.dumps(report, indent=2, ensure_ascii=False)


def as_text(lb: str, answers: list[Answer]) -> str:
    """A line for each question."""
    rows = [
        (
            screen.paint("fits", screen.GOOD) if one.fits else screen.paint("look", screen.BAD),
            one.question,
            one.answer,
            "" if one.seconds is None else f"{one.seconds:.2f} s",
            one.meaning,
        )
        for one in answers
    ]
    odd = [one for one in answers if not one.fits]
    lags = [one.seconds for one in answers if "read_lag" in one.meaning and one.seconds is not None]
    return "\n".join(
        [
            f"selftest of {lb}",
            *screen.columns(rows),
            f"The longest lag was {max(lags, default=0):.2f} s. "
            + (
                f"{count(len(odd), 'answer')} did not fit."
                if odd
                else "All answers fit the binder's settings."
            ),
        ]
    )
