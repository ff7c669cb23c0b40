"""Registering and draining, rule by rule."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest

from binder.core import tag
from binder.core.actions import Action, Deregister, Register, Retag, Weigh
from binder.core.clb import (
    ALIVE,
    CLOSE,
    DEAD,
    UNKNOWN,
    Check,
    Frontend,
    Group,
    Health,
    Key,
    LoadBalancer,
    Target,
)
from binder.core.objects import Condition, Name, Pod, Service, ServicePort
from binder.core.targets import Leave, Ledger, Moves, book, holders, plan_targets
from binder.core.view import View
from binder.settings import Settings
from schemas.contract import EXISTING_CLB, LOAD_BALANCER_CLASS

SETTINGS = Settings(cluster="ours")
NOW, WALL = 1000.0, 5000.0
WEB, OTHER = Frontend("TCP", 80), Frontend("TCP", 81)
MAY = Leave(True, True, True, False)
OPEN = Condition("True")
THEIRS = tag.write(tag.mark("theirs", "f" * 16))


def uid(number: int) -> str:
    return f"{number:016x}"


def mine(number: int) -> str:
    return tag.write(tag.mark("ours", uid(number)))


def ip(number: int) -> str:
    return f"10.0.0.{number}"


def at(number: int, listener: str = "lbl-1") -> Key:
    return Key(listener, "", ip(number), 8080)


def pod(number: int, address: int | None = None, **fields: object) -> Pod:
    plain = Pod(
        uid(number),
        "a",
        f"web-{number}",
        labels={"app": "web"},
        ip=ip(number if address is None else address),
        phase="Running",
        gated=True,
        condition=OPEN,
        containers_ready=True,
        ready=True,
    )
    return plain._replace(**fields)  # type: ignore[arg-type]  # a table of fields


def dying(number: int, left: float = 30.0, **fields: object) -> Pod:
    return pod(number, deleted_at=WALL, dies_at=WALL + left, ready=False, **fields)


def service(name: str = "web", frontend: Frontend = WEB, namespace: str = "a") -> Service:
    return Service(
        f"{namespace}-{name}",
        namespace,
        name,
        "LoadBalancer",
        LOAD_BALANCER_CLASS,
        {EXISTING_CLB["service"]: "lb-1"},
        (("app", "web"),),
        (ServicePort("", frontend.port, "TCP", 8080),),
    )


@dataclass
class Case:
    """A cluster, a load balancer, and what is remembered; by default all is read just now."""

    pods: list[Pod] = field(default_factory=list)
    bound: dict[Key, Target] = field(default_factory=dict)
    health: dict[Key, str] = field(default_factory=dict)
    services: list[Service] = field(default_factory=lambda: [service()])
    ledger: Ledger = field(default_factory=Ledger)
    leave: Leave = MAY
    ours: frozenset[str] = frozenset()
    now: float = NOW
    read_at: float = NOW
    health_at: float | None = NOW
    check: Check = field(default_factory=Check)
    settings: Settings = SETTINGS

    def sent(self) -> Case:
        """When all that is planned has been asked of CLB."""
        moves = self.moves()
        return replace(self, ledger=book(moves.ledger, moves.actions, (), self.now, self.settings))

    def moves(self) -> Moves:
        view = View(self.settings)
        for item in (*self.services, *self.pods):
            view.put(item, 0)
        groups = {
            frontend: Group(listener, "", frontend, self.check)
            for listener, frontend in (("lbl-1", WEB), ("lbl-2", OTHER))
        }
        bindings = view.bindings_on("lb-1")
        wanted = {one.frontend for one in bindings}
        lb = LoadBalancer(
            "lb-1",
            targets=self.bound,
            targets_at=self.read_at,
            health={
                key: Health(self.health.get(key, ALIVE), target.weight)
                for key, target in self.bound.items()
            },
            health_at=self.health_at,
        )
        return plan_targets(
            view,
            bindings,
            {key: group for key, group in groups.items() if key in wanted},
            lb,
            self.ledger,
            self.leave,
            self.ours,
            self.now,
            WALL + self.now - NOW,
            self.settings,
        )

    def actions(self) -> set[Action]:
        return set(self.moves().actions)


def bound(*numbers: int, weight: int = 10, listener: str = "lbl-1") -> dict[Key, Target]:
    return {at(number, listener): Target(weight, mine(number)) for number in numbers}


NOT_READY = pod(1, containers_ready=False, ready=False)


@pytest.mark.parametrize(
    ("what", "case", "actions"),
    [
        ("a Pod that is up is bound", Case([pod(1)]), {Register(at(1), 10, mine(1))}),
        ("its own weight counts", Case([pod(1, weight=3)]), {Register(at(1), 3, mine(1))}),
        ("a Pod that is not up is not", Case([NOT_READY]), set()),
        ("nor one that is updated", Case([pod(1, updating=True)]), set()),
        ("nor one on the host's network", Case([pod(1, host_network=True)]), set()),
        ("nor one that has ended", Case([pod(1, phase="Failed")]), set()),
        ("nor one that terminates", Case([dying(1)]), set()),
        ("nor one that nobody selects", Case([pod(1, labels={})]), set()),
        ("what is bound is left alone", Case([pod(1)], bound(1)), set()),
        ("what is not ready is left alone", Case([NOT_READY], bound(1)), set()),
        ("weight that was lost comes back", Case([pod(1)], bound(1, weight=0)), {Weigh(at(1), 10)}),
        ("weight comes when it is up", Case([NOT_READY], bound(1, weight=0)), set()),
        (
            "who has got an address keeps the target, with weight",
            Case([pod(2, address=1)], {at(1): Target(0, mine(1))}),
            {Retag(at(1), mine(2)), Weigh(at(1), 10)},
        ),
        (
            "who has got an address keeps the target, and its old Pod loses nothing",
            Case([pod(2, address=1), dying(1)], bound(1)),
            {Retag(at(1), mine(2))},
        ),
        (
            "CLB keeps no tags",
            Case([pod(1)], {at(1): Target(10)}, ours=frozenset({"lbl-1"})),
            set(),
        ),
        ("a target of others stays", Case([], {at(1): Target(10, THEIRS)}), set()),
        ("even with our Pod behind it", Case([pod(1)], {at(1): Target(0, THEIRS)}), set()),
        ("one without a tag too", Case([], {at(1): Target(10)}), set()),
        (
            "not in a listener of ours",
            Case(
                [],
                {at(1): Target(10)},
                ours=frozenset({"lbl-1"}),
                leave=MAY._replace(confirmed={"": NOW + 1}),
            ),
            {Weigh(at(1), 0)},
        ),
        (
            "not when this process bound it",
            Case([], {at(1): Target(0)}, ledger=Ledger(registered={at(1): NOW - 100})),
            {Deregister(at(1))},
        ),
    ],
)
def test_what_stays(what: str, case: Case, actions: set[Action]) -> None:
    if what == "not in a listener of ours":
        case = replace(case, ledger=Ledger(held={at(1): NOW}))
    assert case.actions() == actions, what


TWO = bound(1, 2)
LEFT = Ledger(drained={at(1): NOW - 30})
EMPTY = {at(1): Target(0, mine(1)), **bound(2)}
STALE = {"health_at": NOW - 100, "read_at": NOW - 100}
ASKED = Ledger(asked={at(1): NOW - 5})


@pytest.mark.parametrize(
    ("what", "case", "actions"),
    [
        ("another one serves", Case([dying(1), pod(2)], TWO), {Weigh(at(1), 0)}),
        ("the last one stays", Case([dying(1)], bound(1)), set()),
        ("the other one is Dead", Case([dying(1), pod(2)], TWO, {at(2): DEAD}), set()),
        ("the other one is Unknown", Case([dying(1), pod(2)], TWO, {at(2): UNKNOWN}), set()),
        (
            "all are Dead",
            Case([dying(1), pod(2)], TWO, {at(1): DEAD, at(2): DEAD}),
            {Weigh(at(1), 0)},
        ),
        (
            "it is Dead, the other not probed",
            Case([dying(1), pod(2)], TWO, {at(1): DEAD, at(2): UNKNOWN}),
            set(),
        ),
        (
            "the check is off",
            Case([dying(1), pod(2)], TWO, {at(1): CLOSE, at(2): CLOSE}, check=Check(False)),
            {Weigh(at(1), 0)},
        ),
        ("the other one has no proof", Case([dying(1), pod(2, condition=None)], TWO), set()),
        ("the listener is stopped", Case([dying(1), pod(2)], TWO, {at(2): CLOSE}), set()),
        ("the last moment", Case([dying(1, left=3)], bound(1)), {Weigh(at(1), 0)}),
        ("before the last moment", Case([dying(1, left=4)], bound(1)), set()),
        (
            "of two, who dies first",
            Case([dying(1, left=20), dying(2, left=10)], TWO),
            {Weigh(at(2), 0)},
        ),
        (
            "another frontend does not help",
            Case(
                [dying(1), pod(2)],
                {**bound(1), **bound(2, listener="lbl-2")},
                services=[service(), service("api", OTHER)],
            ),
            {Register(at(2), 10, mine(2))},
        ),
        (
            "who serves was drained just now",
            Case([dying(1), pod(2)], TWO, ledger=Ledger(lowered={at(2): NOW - 1})),
            set(),
        ),
        (
            "who led before may have drained",
            Case([dying(1), pod(2)], TWO, leave=MAY._replace(since=NOW - 1)),
            set(),
        ),
        ("nothing was read lately", Case([dying(1), pod(2)], TWO, **STALE), set()),
        (
            "nor can be; it was Ready",
            Case([dying(1), pod(2)], TWO, ledger=ASKED, **STALE),
            {Weigh(at(1), 0)},
        ),
        (
            "nor can be; it was not",
            Case([dying(1), pod(2, ready=False)], TWO, ledger=ASKED, **STALE),
            set(),
        ),
        (
            "nor can be; it has no gate",
            Case([dying(1), pod(2, condition=None)], TWO, ledger=ASKED, **STALE),
            set(),
        ),
        (
            "the view is stale",
            Case([dying(1), pod(2)], TWO, leave=Leave(False, False, False, False)),
            set(),
        ),
        (
            "in quarantine",
            Case([dying(1), pod(2)], TWO, leave=Leave(True, False, False, False)),
            {Weigh(at(1), 0)},
        ),
        ("drained long enough", Case([dying(1), pod(2)], EMPTY, ledger=LEFT), {Deregister(at(1))}),
        (
            "drained not long enough",
            Case([dying(1), pod(2)], EMPTY, ledger=Ledger(drained={at(1): NOW - 29})),
            set(),
        ),
        ("drained, nobody knows since when", Case([dying(1), pod(2)], EMPTY), set()),
        ("drained, and the Pod has gone", Case([pod(2)], EMPTY), {Deregister(at(1))}),
        (
            "drained, and CLB is full",
            Case([dying(1), pod(2)], EMPTY, leave=MAY._replace(full=True)),
            {Deregister(at(1))},
        ),
        (
            "drained, in quarantine",
            Case([pod(2)], EMPTY, leave=Leave(True, False, False, False)),
            set(),
        ),
        ("drained, read too long ago", Case([pod(2)], EMPTY, ledger=LEFT, read_at=NOW - 20), set()),
        (
            "drained, and weighed since",
            Case([pod(2)], EMPTY, ledger=LEFT._replace(raised={at(1): NOW - 1})),
            set(),
        ),
        ("weight came back by hand", Case([dying(1), pod(2)], TWO, ledger=LEFT), {Weigh(at(1), 0)}),
        (
            "it has got weight, though drained",
            Case([pod(1), pod(2)], EMPTY, ledger=LEFT),
            {Weigh(at(1), 10)},
        ),
        ("it died while it was drained", Case([pod(2)], TWO, ledger=ASKED), {Weigh(at(1), 0)}),
        (
            "its containers have ended",
            Case([pod(1, phase="Failed"), pod(2)], TWO),
            {Weigh(at(1), 0)},
        ),
        ("deleted, and not selected", Case([dying(1, labels={}), pod(2)], TWO), {Weigh(at(1), 0)}),
        ("it is updated in place", Case([pod(1, updating=True), pod(2)], TWO), {Weigh(at(1), 0)}),
        (
            "it is updated, in quarantine",
            Case([pod(1, updating=True), pod(2)], TWO, leave=Leave(True, False, False, False)),
            set(),
        ),
        ("it wants weight 0", Case([pod(1, weight=0), pod(2)], TWO), {Weigh(at(1), 0)}),
        ("the last one wants weight 0", Case([pod(1, weight=0)], bound(1)), set()),
    ],
)
def test_what_goes(what: str, case: Case, actions: set[Action]) -> None:
    moves = case.moves()
    assert set(moves.actions) == actions, what
    waits = any(key not in bound(2) for key in case.bound) and not moves.actions
    assert not waits or moves.again is not None, "whoever waits says when to look again"


RELABELLED = [pod(number, labels={}) for number in (1, 2)]
MANY = bound(*range(1, 9))
HELD = Ledger(held={at(1): NOW - 2, at(2): NOW - 2, at(3): NOW - 2})


@pytest.mark.parametrize(
    ("what", "gone", "leave", "ledger", "drained", "asks"),
    [
        ("a quarter goes", (1, 2), MAY, Ledger(), (1, 2), set()),
        ("more do not", (1, 2, 3), MAY, Ledger(), (), {"a"}),
        ("asked", (1, 2, 3), MAY, HELD, (), {"a"}),
        ("confirmed", (1, 2, 3), MAY._replace(confirmed={"a": NOW - 1}), HELD, (1, 2, 3), set()),
        ("all confirmed", (1, 2, 3), MAY._replace(confirmed={"": NOW - 1}), HELD, (1, 2, 3), set()),
        ("confirmed too early", (1, 2, 3), MAY._replace(confirmed={"a": NOW - 3}), HELD, (), {"a"}),
        (
            "another one confirmed",
            (1, 2, 3),
            MAY._replace(confirmed={"b": NOW - 1}),
            HELD,
            (),
            {"a"},
        ),
        (
            "a fourth is not confirmed",
            (1, 2, 3, 4),
            MAY._replace(confirmed={"a": NOW - 1}),
            HELD,
            (1, 2, 3),
            {"a"},
        ),
        (
            "two more within a minute",
            (3, 4),
            MAY,
            Ledger(left={at(1): NOW - 50, at(2): NOW - 50}),
            (),
            {"a"},
        ),
        (
            "two more later",
            (3, 4),
            MAY,
            Ledger(left={at(1): NOW - 61, at(2): NOW - 61}),
            (3, 4),
            set(),
        ),
    ],
)
def test_many_that_no_deletion_explains_wait_for_the_api_server(
    what: str,
    gone: tuple[int, ...],
    leave: Leave,
    ledger: Ledger,
    drained: tuple[int, ...],
    asks: set[str],
) -> None:
    pods = [pod(number, labels={} if number in gone else {"app": "web"}) for number in range(1, 9)]
    known = Case([pod(number) for number in range(1, 9)], MANY).moves().ledger.pods
    moves = Case(pods, MANY, leave=leave, ledger=ledger._replace(pods=known)).moves()
    assert set(moves.actions) == {Weigh(at(number), 0) for number in drained}, what
    assert moves.confirm == asks, what
    told = [tell.reason for tell in moves.tells]
    assert told == (["MassRemovalHeld"] if asks and not ledger.held else []), what
    assert not asks or moves.again is not None


def test_real_deletions_are_never_held() -> None:
    pods = [*(dying(number) for number in range(1, 8)), pod(8)]
    drained = {Weigh(at(number), 0) for number in range(1, 8)}
    assert Case(pods, MANY).actions() == drained
    ended = [*(pod(number, phase="Failed") for number in range(1, 8)), pod(8)]
    assert Case(ended, MANY).actions() == drained


def test_targets_of_others_do_not_make_a_removal_small() -> None:
    others = {at(number): Target(10, THEIRS) for number in range(20, 60)}
    moves = Case([pod(1, labels={}), pod(2)], {**TWO, **others}).moves()
    assert not moves.actions
    assert moves.confirm == {""}
    assert moves.foreign == 40


def test_who_may_remove_many_does() -> None:
    settings = SETTINGS._replace(allow_mass_removal=True)
    case = Case([*RELABELLED, pod(3)], bound(1, 2, 3), settings=settings)
    assert case.actions() == {Weigh(at(1), 0), Weigh(at(2), 0)}


def test_the_last_one_goes_when_nobody_asks_for_the_frontend() -> None:
    case = Case([pod(1)], bound(1), services=[], ledger=Ledger(held={at(1): NOW - 2}))
    assert not case.actions()
    assert replace(case, leave=MAY._replace(confirmed={"": NOW - 1})).actions() == {Weigh(at(1), 0)}


def test_whose_pod_has_gone_does_not_let_the_last_one_go() -> None:
    known = Ledger(held={at(1): NOW - 2, at(2): NOW - 2})
    leave = MAY._replace(confirmed={"": NOW - 1})
    case = Case([pod(1, labels={})], TWO, ledger=known, leave=leave)
    assert case.actions() == {Weigh(at(2), 0)}


def test_two_services_share_a_frontend() -> None:
    shared = [service(), service("web", namespace="b")]
    other = pod(2, labels={"app": "web"})._replace(namespace="b")
    case = Case([pod(1), other], services=shared)
    assert case.actions() == {Register(at(1), 10, mine(1)), Register(at(2), 10, mine(2))}
    leaves = Case([dying(1), other], TWO, services=shared)
    assert leaves.actions() == {Weigh(at(1), 0)}, "the other Service's Pod serves the frontend"


def test_a_registration_that_does_not_show_is_tried_again_with_longer_pauses() -> None:
    case, tried = Case([pod(1)]), []
    for second in range(200):
        case = replace(case, now=NOW + second, read_at=NOW + second)
        moves = case.moves()
        case = case.sent()
        assert moves.again is not None
        if moves.actions:
            tried.append(second)
    assert tried[:6] == [0, 1, 3, 7, 15, 31]
    assert {later - before for before, later in pairwise(tried[5:])} == {30}
    assert not replace(case, bound=bound(1)).moves().ledger.retries


def test_a_new_pod_at_the_address_does_not_wait_for_the_pauses_of_the_old_one() -> None:
    first = Case([pod(1)])
    again = replace(first.sent(), pods=[pod(2, address=1)], now=NOW + 0.5)
    assert again.actions() == {Register(at(1), 10, mine(2))}


def test_what_was_planned_and_not_sent_is_planned_anew_and_believed_of_nobody() -> None:
    case = Case([dying(1), pod(2), pod(3)], TWO)
    moves = case.moves()
    assert set(moves.actions) == {Weigh(at(1), 0), Register(at(3), 10, mine(3))}
    sent = book(moves.ledger, [Weigh(at(1), 0)], (), NOW, SETTINGS)
    assert set(sent.lowered) == {at(1)}
    assert set(sent.retries) == {Weigh(at(1), 0)}
    assert not sent.raised
    assert not sent.registered
    assert replace(case, ledger=sent).actions() == {Register(at(3), 10, mine(3))}


def test_a_drain_that_failed_is_sent_again_soon_and_one_that_was_done_when_it_must_show() -> None:
    case = Case([dying(1), pod(2)], TWO)
    moves, drain = case.moves(), Weigh(at(1), 0)
    for failed, pauses in (((drain,), 1), ((), 3)):
        ledger = book(moves.ledger, moves.actions, failed, NOW, SETTINGS)
        sent = [
            replace(case, ledger=ledger, now=NOW + second, read_at=NOW + second).actions()
            for second in (0.5, 1, 2, 3, 4)
        ]
        assert sent == [{drain} if second >= pauses else set() for second in (0.5, 1, 2, 3, 4)]
        # What cannot be read cannot show: it is not sent again and again.
        blind = replace(case, ledger=ledger, now=NOW + 20)
        assert blind.actions() == ({drain} if failed else set())


def test_a_thousand_failures_later_it_still_tries() -> None:
    case = Case([pod(1)])
    for turn in range(1100):
        case = replace(case, now=NOW + 31 * turn, read_at=NOW + 31 * turn)
        assert case.actions()
        case = case.sent()


def test_a_registration_that_shows_late_without_tags_is_still_ours() -> None:
    case = Case([pod(1)])
    case = replace(case.sent(), now=NOW + 1, read_at=NOW + 1, pods=[])
    moves = case.moves()
    assert moves.reread
    late = {at(1): Target(10)}
    case = replace(case, ledger=moves.ledger, bound=late, now=NOW + 3, read_at=NOW + 3)
    assert case.moves().owned


def test_what_was_registered_stays_ours_while_nothing_can_be_read() -> None:
    case = replace(Case([pod(1)]).sent(), now=NOW + 100)
    assert case.moves().ledger.registered == {at(1): NOW}
    assert replace(case, read_at=NOW + 100).moves().ledger.registered == {}


def test_what_was_written_is_read_again_when_it_must_show() -> None:
    written = Case([dying(1), pod(2)], TWO).sent()
    moves = written.moves()
    assert moves.reread
    assert moves.again is not None
    assert moves.again <= NOW + SETTINGS.read_lag
    later = replace(written, pods=[pod(1), pod(2)], now=NOW + 5, read_at=NOW + 5).moves()
    assert not later.reread
    assert later.again is None


def test_a_drain_that_took_longer_than_pre_stop_is_told() -> None:
    late = dying(1)._replace(pre_stop=4.0)
    ledger = Ledger(asked={at(1): NOW - 5})
    moves = Case([late._replace(deleted_at=WALL - 5), pod(2)], EMPTY, ledger=ledger).moves()
    assert moves.drains == (5.0,)
    assert [tell.reason for tell in moves.tells] == ["DrainBudgetExceeded"]
    again = Case([late, pod(2)], EMPTY, ledger=moves.ledger, now=NOW + 1).moves()
    assert (again.drains, again.tells) == ((), ())


def test_a_binder_that_starts_tells_nothing_of_drains_of_before() -> None:
    moves = Case([dying(1)._replace(deleted_at=WALL - 20, pre_stop=4.0), pod(2)], EMPTY).moves()
    assert (moves.drains, moves.tells) == ((), ())


def test_of_two_that_leave_one_address_the_later_one_has_it() -> None:
    view = View(SETTINGS)
    for item in (service(), dying(1, left=5), dying(2, left=20)._replace(ip=ip(1))):
        view.put(item, 0)
    groups = {WEB: Group("lbl-1", "", WEB, Check())}
    _, leaving = holders(view, view.bindings_on("lb-1"), groups)
    assert leaving[at(1)].pod.key == Name("a", "web-2")
