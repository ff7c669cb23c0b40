"""Listeners and rules: what is made, changed, removed, shared, and never touched."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from binder.core.actions import (
    Action,
    CreateListener,
    CreateRule,
    DeleteListener,
    DeleteRule,
    Modify,
)
from binder.core.bindings import Binding
from binder.core.clb import Attributes, Check, Frontend, Group, Listener, LoadBalancer
from binder.core.listeners import Listening, plan_listeners, prefix
from binder.core.objects import Owner
from binder.settings import Settings
from schemas.contract import LISTENER_PROTOCOLS

SETTINGS, EXISTING = Settings(cluster="cls-1"), Settings(cluster="cls-1", manage_listeners=False)
OURS, VIP, OLD_VIP = prefix(SETTINGS), "10.0.0.1", "10.0.0.9"
SHARED = f"{OURS}shared"

TCP, UDP = Frontend("TCP", 80), Frontend("UDP", 80)
SITE, BARE = Frontend("HTTP", 80, "a.com", "/"), Frontend("HTTP", 80, "", "/")


def owner(name: str = "web", namespace: str = "ns", kind: str = "Service") -> Owner:
    return Owner(kind, namespace, name, f"uid-{name}")


def want(frontend: Frontend, name: str = "web", **fields: object) -> Binding:
    usual = {"owner": owner(name), "lb": "lb-1", "selector": (("app", name),), "target_port": 80}
    transport = LISTENER_PROTOCOLS[frontend.protocol].transport
    return Binding(**{**usual, "frontend": frontend, "transport": transport, **fields})  # type: ignore[arg-type]


def group(listener: str, frontend: Frontend, location: str = "", **fields: object) -> Group:
    usual = {"check": Check(), "attributes": Attributes(scheduler="WRR", session=0)}
    return Group(listener, location, frontend, **{**usual, **fields})  # type: ignore[arg-type]


def listener(key: str, name: str, *frontends: Frontend, **fields: object) -> Listener:
    """A listener with a group for each of `frontends`; of layer 7 without "url" it has none."""
    first = frontends[0]
    rules = tuple(
        group(key, one, f"loc-{key}-{number}" if one.layer_7 else "", **fields)
        for number, one in enumerate(frontends)
        if one.url or not one.layer_7
    )
    return Listener(key, name, first.protocol, first.port, rules)


def load_balancer(*listeners: Listener, **fields: object) -> LoadBalancer:
    usual = {"addresses": (VIP,), "listeners": listeners, "listeners_at": 1.0}
    return LoadBalancer("lb-1", **{**usual, **fields})  # type: ignore[arg-type]


def yes(_: Group) -> bool:
    return True


def no(_: Group) -> bool:
    return False


def planned(
    wanted: Sequence[Binding],
    lb: LoadBalancer,
    settings: Settings = SETTINGS,
    removable: Callable[[Group], bool] = yes,
) -> Listening:
    return plan_listeners(wanted, lb, settings, removable)


# Making:


def test_a_listener_is_made_for_what_is_not_there() -> None:
    attributes = Attributes(scheduler="LEAST_CONN")
    result = planned([want(TCP, attributes=attributes)], load_balancer())
    assert result.actions == (CreateListener(TCP, f"{OURS}ns.web", attributes),)
    assert result == (result.actions, {}, {}, frozenset({TCP}), ())


def test_of_layer_7_the_listener_comes_first_and_its_rules_when_it_is_there() -> None:
    attributes = Attributes(session=60)
    secure = SITE._replace(protocol="HTTPS", port=443)
    wanted = [want(secure, attributes=attributes, certificate="cert1")]
    first = planned(wanted, load_balancer())
    assert first.actions == (CreateListener(Frontend("HTTPS", 443), SHARED, Attributes(), "cert1"),)
    there = load_balancer(listener("lbl-1", SHARED, Frontend("HTTPS", 443)))
    second = planned(wanted, there)
    assert second.actions == (CreateRule("lbl-1", secure, attributes),)
    assert second.absent == {secure}


def test_a_rule_without_a_host_gets_the_address_of_the_load_balancer() -> None:
    there = listener("lbl-1", SHARED, Frontend("HTTP", 80))
    result = planned([want(BARE)], load_balancer(there))
    assert result.actions == (CreateRule("lbl-1", BARE._replace(domain=VIP), Attributes()),)
    nameless = planned([want(BARE)], load_balancer(there, addresses=()))
    assert (nameless.actions, nameless.absent) == ((), {BARE})


@pytest.mark.parametrize("addresses", [(VIP,), (), (OLD_VIP, VIP), ("x.example.com",)])
def test_a_rule_for_an_address_serves_those_without_a_host(addresses: tuple[str, ...]) -> None:
    there = listener("lbl-1", SHARED, BARE._replace(domain=VIP))
    result = planned([want(BARE)], load_balancer(there, addresses=addresses))
    assert result.actions == ()
    assert result.groups == {BARE: there.groups[0]}


@pytest.mark.parametrize("present", ["", VIP])  # a reader may know the address, or leave it
def test_of_two_rules_for_addresses_the_present_one_serves(present: str) -> None:
    old, new = BARE._replace(domain=OLD_VIP), BARE._replace(domain=present)
    there = listener("lbl-1", SHARED, old, new)
    result = planned([want(BARE)], load_balancer(there))
    assert result.groups == {BARE: there.groups[1]}
    assert result.actions == (DeleteRule("lbl-1", "loc-lbl-1-0"),)


def test_tcp_and_udp_share_a_port() -> None:
    lb = load_balancer(listener("lbl-1", f"{OURS}ns.web", TCP))
    result = planned([want(TCP), want(UDP)], lb)
    assert [type(one) for one in result.actions] == [CreateListener]
    assert result.groups.keys() == {TCP}
    assert result.absent == {UDP}


@pytest.mark.parametrize("length", [1, 59, 60, 61, 253])
def test_a_name_is_as_long_as_it_may_be(length: int) -> None:
    names = set()
    for last in "ab":
        long = owner("x" * (length - 1) + last, "namespace")
        (action,) = planned([want(TCP, owner=long)], load_balancer()).actions
        assert isinstance(action, CreateListener)
        assert action.name.startswith(f"{OURS}namespace.x" if length > 1 else OURS)
        assert len(action.name) <= 80
        names.add(action.name)
    assert len(names) == 2


# Changing:

HAS = Attributes(scheduler="WRR", session=0, http_path="/", check_type="HTTP")


@pytest.mark.parametrize(
    ("wanted", "sent"),
    [
        (Attributes(), None),
        (Attributes(scheduler="WRR"), None),
        (Attributes(scheduler="LEAST_CONN"), Attributes(scheduler="LEAST_CONN")),
        (Attributes(scheduler="WRR", session=30), Attributes(session=30)),
        (Attributes(Check(interval=6)), Attributes(Check(interval=6))),
        (Attributes(Check()), None),
        (Attributes(Check(enabled=False)), Attributes(Check(enabled=False))),
        (Attributes(check_port=81), Attributes(check_port=81)),
        (
            Attributes(Check(), http_path="/ok", check_type="HTTP", scheduler="WRR"),
            Attributes(Check(), http_path="/ok", check_type="HTTP"),
        ),
    ],
)
def test_only_what_an_owner_names_and_differs_is_changed(
    wanted: Attributes, sent: Attributes | None
) -> None:
    for frontend, location in ((TCP, ""), (SITE, "loc-lbl-1-0")):
        lb = load_balancer(listener("lbl-1", SHARED, frontend, attributes=HAS))
        result = planned([want(frontend, attributes=wanted)], lb)
        assert result.actions == ((Modify("lbl-1", location, sent),) if sent else ())
        assert result.groups.keys() == {frontend}


def test_a_check_that_is_off_has_no_times_to_change() -> None:
    lb = load_balancer(listener("lbl-1", SHARED, TCP, check=Check(enabled=False, interval=9)))
    wanted = [want(TCP, attributes=Attributes(Check(enabled=False)))]
    assert planned(wanted, lb).actions == ()


def test_owners_share_a_frontend_and_the_first_one_is_heard() -> None:
    lb = load_balancer(listener("lbl-1", SHARED, SITE))
    wanted = [
        want(SITE, "b", attributes=Attributes(session=90)),
        want(SITE, "a", attributes=Attributes(session=30)),
        want(SITE, "c", attributes=Attributes(session=30)),
    ]
    result = planned(wanted, lb)
    assert result.actions == (Modify("lbl-1", "loc-lbl-1-0", Attributes(session=30)),)
    assert not result.conflicts
    (note,) = result.notes
    assert note.about == owner("b")
    assert note.message == "HTTP 80 a.com/ of lb-1 has the settings that Service ns/a wants"


def test_hosts_share_the_certificate_of_their_listener() -> None:
    a, b = (Frontend("HTTPS", 443, host, "/") for host in ("a.com", "b.com"))
    result = planned(
        [want(b, "b", certificate="2"), want(a, "a", certificate="1")], load_balancer()
    )
    (action,) = result.actions
    assert isinstance(action, CreateListener)
    assert action.certificate == "1"
    assert [(one.about, one.reason) for one in result.notes] == [(owner("b"), "ListenerShared")]


# Removing:


@pytest.mark.parametrize(
    ("removable", "actions"), [(yes, (DeleteListener("lbl-1"),)), (no, ())], ids=["yes", "no"]
)
@pytest.mark.parametrize("frontend", [TCP, SITE, Frontend("HTTP", 80)], ids=str)
def test_a_listener_that_nobody_wants_goes_when_it_may(
    frontend: Frontend, removable: Callable[[Group], bool], actions: tuple[Action, ...]
) -> None:
    lb = load_balancer(listener("lbl-1", SHARED, frontend))
    assert planned([], lb, removable=removable).actions == actions
    assert planned([], lb, EXISTING, removable).actions == ()


def test_rules_go_one_by_one_while_others_must_stay() -> None:
    frontends = [Frontend("HTTP", 80, "a.com", url) for url in ("/", "/x", "/y")]
    lb = load_balancer(listener("lbl-1", SHARED, *frontends))
    kept = planned([want(frontends[0])], lb, removable=lambda one: one.frontend.url == "/x")
    assert kept.actions == (DeleteRule("lbl-1", "loc-lbl-1-1"),)
    waiting = planned([], lb, removable=lambda one: one.frontend.url != "/y")
    assert waiting.actions == (
        DeleteRule("lbl-1", "loc-lbl-1-0"),
        DeleteRule("lbl-1", "loc-lbl-1-1"),
    )


def test_a_port_changes_its_protocol_when_the_old_listener_is_gone() -> None:
    lb = load_balancer(listener("lbl-1", f"{OURS}ns.web", TCP))
    waiting = planned([want(SITE)], lb, removable=no)
    assert (waiting.actions, waiting.absent) == ((), {SITE})
    assert planned([want(SITE)], lb).actions == (DeleteListener("lbl-1"),)


# Conflicts:


@pytest.mark.parametrize("taken", [TCP, Frontend("TCP_SSL", 80), SITE], ids=str)
@pytest.mark.parametrize("name", ["mine", "", "TKE-DEDICATED-LISTENER", "tke-direct/00000000/a.b"])
def test_a_port_of_somebody_else_is_a_conflict(taken: Frontend, name: str) -> None:
    lb = load_balancer(listener("lbl-1", name, taken))
    for frontend in (TCP, SITE):
        result = planned([want(frontend)], lb)
        assert (result.actions, result.groups, result.absent) == ((), {}, frozenset())
        said = result.conflicts[frontend]
        assert f"{taken.protocol} 80 of lb-1 is listener lbl-1 ({name!r})" in said
        assert "choose another port" in said
    assert planned([want(UDP)], lb).absent == {UDP}


def test_whatever_a_port_has_besides_it_is_theirs_when_anything_is() -> None:
    # CLB allows no such two; a reading may be torn.
    own = listener("lbl-1", f"{OURS}ns.web", TCP)
    for key in ("lbl-0", "lbl-2"):
        other = listener(key, "mine", Frontend("TCP_SSL", 80))
        result = planned([want(TCP)], load_balancer(own, other))
        assert (result.actions, result.groups, result.conflicts.keys()) == ((), {}, {TCP})


def test_a_newcomer_takes_a_port_from_nobody() -> None:
    wanted = [want(TCP, "b"), want(SITE, "a")]
    empty = planned(wanted, load_balancer())
    assert empty.conflicts == {TCP: "port 80 of lb-1 is HTTP for Service ns/a: choose another port"}
    assert [type(one) for one in empty.actions] == [CreateListener]
    there = planned(wanted, load_balancer(listener("lbl-1", f"{OURS}ns.b", TCP)))
    assert there.conflicts.keys() == {SITE}
    assert there.groups.keys() == {TCP}
    assert there.actions == ()


# Listeners that are not ours to make:


def test_existing_listeners_serve_whatever_they_are_called() -> None:
    wanted = [want(TCP), want(UDP), want(BARE._replace(port=81)), want(SITE._replace(port=81))]
    lb = load_balancer(
        listener("lbl-1", "mine", TCP),
        listener("lbl-2", f"{OURS}ns.web", Frontend("TCP", 82)),
        listener("lbl-3", "yours", Frontend("HTTP", 81, VIP, "/")),
    )
    wanted.append(want(TCP, "other", attributes=Attributes(session=30)))
    result = planned(wanted, lb, EXISTING)
    assert {str(key): one.listener for key, one in result.groups.items()} == {
        "TCP 80": "lbl-1",
        "HTTP 81 */": "lbl-3",
    }
    assert (result.actions, result.conflicts, result.notes) == ((), {}, ())
    assert result.absent == {UDP, SITE._replace(port=81)}


@pytest.mark.parametrize("fields", [{"listeners_at": None}, {"absent": (1.0, 2.0)}])
def test_nothing_is_planned_for_what_has_not_been_read(fields: dict[str, object]) -> None:
    lb = load_balancer(listener("lbl-1", SHARED, SITE), **fields)
    assert planned([want(TCP)], lb) == ((), {}, {}, frozenset(), ())


# Laws:

LAW = examples(deadline=None)

NAMES = ["", "mine", "TKE-DEDICATED-LISTENER", "tke-direct/", "tke-direct/00000000/shared"]
PORTS, PROTOCOLS = [80, 81], ["TCP", "UDP", "TCP_SSL", "HTTP", "HTTPS"]
HOSTS, URLS = ["", VIP, OLD_VIP, "a.com", "b.com"], ["/", "/x"]
ATTRIBUTES = st.builds(
    Attributes,
    check=st.sampled_from([None, Check(), Check(interval=9), Check(enabled=False)]),
    session=st.sampled_from([None, 0, 30]),
    http_path=st.sampled_from([None, "/", "/ok"]),
)


def placed(protocol: str, port: int, host: str, url: str) -> Frontend:
    layer_7 = Frontend(protocol, port).layer_7
    return Frontend(protocol, port, host, url) if layer_7 else Frontend(protocol, port)


WANTED = st.lists(
    st.builds(
        lambda frontend, name, attributes: want(frontend, name, attributes=attributes),
        st.builds(
            placed,
            st.sampled_from([one for one in PROTOCOLS if one != "TCP_SSL"]),
            st.sampled_from(PORTS),
            st.sampled_from([one for one in HOSTS if one not in (VIP, OLD_VIP)]),
            st.sampled_from(URLS),
        ),
        st.sampled_from(["a", "b", "c"]),
        ATTRIBUTES,
    ),
    max_size=6,
    unique_by=lambda one: (one.owner, one.frontend),
)


def transport(protocol: str) -> str:
    return LISTENER_PROTOCOLS[protocol].transport


@st.composite
def load_balancers(draw: st.DrawFn, others: bool = True) -> LoadBalancer:
    """Listeners as CLB allows them: one for a port and transport, one rule for a domain and URL."""
    names = [SHARED, f"{OURS}ns.a", *(NAMES if others else [])]
    found = []
    rows = st.tuples(st.sampled_from(PROTOCOLS), st.sampled_from(PORTS), st.sampled_from(names))
    unique = st.lists(rows, max_size=4, unique_by=lambda row: (transport(row[0]), row[1]))
    for number, (protocol, port, name) in enumerate(draw(unique)):
        rules = [Frontend(protocol, port)]
        if rules[0].layer_7:
            places = st.tuples(st.sampled_from(HOSTS[1:]), st.sampled_from(URLS))
            rules += [
                Frontend(protocol, port, *place)
                for place in draw(st.lists(places, unique=True, max_size=5))
            ]
        found.append(listener(f"lbl-{number}", name, *rules))
    return load_balancer(*found)


def carried_out(actions: Sequence[Action], lb: LoadBalancer, turn: int) -> LoadBalancer:
    """What CLB has after `actions`; it fails where CLB would refuse."""
    there = {one.id: one for one in lb.listeners}
    for number, action in enumerate(actions):
        key = f"new-{turn}-{number}"
        if isinstance(action, CreateListener):
            place = action.frontend.port, transport(action.frontend.protocol)
            assert place not in {(one.port, transport(one.protocol)) for one in there.values()}
            assert len(action.name) <= 80
            made = listener(key, action.name, action.frontend)
            there[key] = made._replace(groups=tuple(set_to(action, one) for one in made.groups))
        elif isinstance(action, CreateRule):
            old = there[action.listener]
            assert action.frontend.domain
            assert action.frontend.url
            assert action.frontend.listener == (old.protocol, old.port)
            assert action.frontend not in {one.frontend for one in old.groups}
            rule = set_to(action, group(old.id, action.frontend, key))
            there[old.id] = old._replace(groups=(*old.groups, rule))
        elif isinstance(action, Modify):
            old = there[action.listener]
            groups = tuple(
                set_to(action, one) if one.location == action.location else one
                for one in old.groups
            )
            assert groups != old.groups
            there[old.id] = old._replace(groups=groups)
        elif isinstance(action, DeleteRule):
            old = there[action.listener]
            groups = tuple(one for one in old.groups if one.location != action.location)
            assert len(groups) == len(old.groups) - 1
            there[old.id] = old._replace(groups=groups)
        else:
            assert isinstance(action, DeleteListener)
            del there[action.listener]
    return lb._replace(listeners=tuple(there.values()))


def set_to(action: CreateListener | CreateRule | Modify, one: Group) -> Group:
    named = {key: value for key, value in action.attributes._asdict().items() if value is not None}
    check = named.pop("check", one.check)
    return one._replace(check=check, attributes=one.attributes._replace(**named))


def touched(action: Action) -> str:
    return getattr(action, "listener", "")


@LAW
@given(wanted=WANTED, lb=load_balancers(), data=st.data())
def test_what_is_not_ours_is_never_touched(
    wanted: list[Binding], lb: LoadBalancer, data: st.DataObject
) -> None:
    asked: list[Group] = []

    def removable(one: Group) -> bool:
        asked.append(one)
        return data.draw(st.booleans())

    ours = {one.id for one in lb.listeners if one.name.startswith(OURS)}
    result = planned(wanted, lb, removable=removable)
    assert {touched(one) for one in result.actions} <= ours | {""}
    assert {one.listener for one in asked} <= ours
    assert {one.listener for one in result.groups.values()} <= ours
    after = carried_out(result.actions, lb, 0)
    others = [one for one in lb.listeners if one.id not in ours]
    assert [one for one in after.listeners if one in others] == others
    assert planned(wanted, lb, EXISTING).actions == ()


@LAW
@given(wanted=WANTED, lb=load_balancers())
def test_what_is_wanted_is_never_removed(wanted: list[Binding], lb: LoadBalancer) -> None:
    result = planned(wanted, lb)
    after = planned(wanted, carried_out(result.actions, lb, 0))
    for frontend, one in result.groups.items():
        assert after.groups[frontend][:3] == one[:3]


@LAW
@given(wanted=WANTED, lb=load_balancers(), settings=st.sampled_from([SETTINGS, EXISTING]))
def test_every_frontend_stands_in_one_way(
    wanted: list[Binding], lb: LoadBalancer, settings: Settings
) -> None:
    result = planned(wanted, lb, settings)
    ways = [*result.groups, *result.conflicts, *result.absent]
    assert sorted(ways) == sorted({one.frontend for one in wanted})
    assert result == planned(wanted[::-1], lb._replace(listeners=lb.listeners[::-1]), settings)


@LAW
@given(wanted=WANTED, lb=load_balancers(others=False))
def test_a_plan_comes_to_an_end(wanted: list[Binding], lb: LoadBalancer) -> None:
    # What is in the way goes, listeners come, rules come.
    for turn in range(3):
        lb = carried_out(planned(wanted, lb).actions, lb, turn)
    result = planned(wanted, lb)
    assert result.actions == ()
    assert not result.absent
    served = {one.frontend for one in wanted} - result.conflicts.keys()
    assert result.groups.keys() == served
    assert {(one.listener, one.location) for one in result.groups.values()} == {
        (one.listener, one.location) for each in lb.listeners for one in each.groups
    }


@LAW
@given(wanted=WANTED)
def test_an_empty_load_balancer_is_ready_after_two_turns(wanted: list[Binding]) -> None:
    lb = load_balancer()
    for turn in range(2):
        lb = carried_out(planned(wanted, lb).actions, lb, turn)
    result = planned(wanted, lb)
    assert result.actions == ()
    assert not result.absent
