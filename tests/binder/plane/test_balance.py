"""Which target gets new traffic: laws over generated groups, and routing by host and path."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binder.simulator.balance import Balancer, is_healthy, serving
from binder.simulator.model import Endpoint, Group, Health, HealthCheck, Target
from binder.simulator.routes import route

targets = st.lists(
    st.builds(lambda w, h: (w, h), st.integers(0, 100), st.sampled_from(Health)), max_size=12
)
schedulers = st.sampled_from(["WRR", "LEAST_CONN", "IP_HASH"])


def of(rows: list[tuple[int, Health]], scheduler: str = "WRR") -> Group:
    group = Group("loc-1", HealthCheck(), scheduler)
    for number, (weight, health) in enumerate(rows):
        endpoint = Endpoint(f"10.0.0.{number}", 80)
        group.targets[endpoint] = Target(endpoint, weight, health=health)
    return group


def idle(_endpoint: Endpoint) -> int:
    return 0


@given(targets, schedulers, st.ip_addresses(v=4))
def test_only_a_target_that_may_serve_is_chosen(
    rows: list[tuple[int, Health]], scheduler: str, client: object
) -> None:
    group = of(rows, scheduler)
    chosen = Balancer().choose(group, str(client), idle)
    able = [target for target in group.targets.values() if target.weight and is_healthy(target)]
    if able:
        assert chosen in able
    elif any(is_healthy(target) for target in group.targets.values()):
        assert chosen is None  # the healthy ones are drained: all-dead-all-alive is not meant
    else:
        assert (chosen is None) == (not any(weight for weight, _ in rows))
        assert chosen is None or chosen.weight > 0


@given(st.lists(st.integers(1, 100), min_size=1, max_size=8))
def test_shares_are_exactly_the_weights_and_never_far_off_on_the_way(weights: list[int]) -> None:
    group, balancer = of([(weight, Health.ALIVE) for weight in weights]), Balancer()
    total, seen = sum(weights), Counter[Endpoint]()
    for turn in range(1, total + 1):
        chosen = balancer.choose(group, "", idle)
        assert chosen
        seen[chosen.endpoint] += 1
        for target in group.targets.values():
            due = turn * target.weight / total
            assert abs(seen[target.endpoint] - due) < len(weights)
    assert [seen[endpoint] for endpoint in group.targets] == weights


def test_turns_are_smooth() -> None:
    group, balancer = of([(5, Health.ALIVE), (1, Health.ALIVE), (1, Health.CLOSE)]), Balancer()
    turns = [balancer.choose(group, "", idle) for _ in range(7)]
    assert "".join(turn.endpoint.ip[-1] for turn in turns if turn) == "0010200"


@given(targets, st.data())
def test_least_conn_takes_the_least_loaded_in_proportion(
    rows: list[tuple[int, Health]], data: st.DataObject
) -> None:
    group = of(rows, "LEAST_CONN")
    loads = {endpoint: data.draw(st.integers(0, 50)) for endpoint in group.targets}
    chosen = Balancer().choose(group, "", loads.__getitem__)
    able = serving(group)
    assert (chosen is None) == (not able)
    if chosen:
        best = min(loads[target.endpoint] / target.weight for target in able)
        assert loads[chosen.endpoint] / chosen.weight == best


def test_least_conn_takes_turns_among_equals() -> None:
    group, balancer = of([(1, Health.ALIVE)] * 3, "LEAST_CONN"), Balancer()
    turns = {balancer.choose(group, "", idle) for _ in range(3)}
    assert len(turns) == 3


@given(targets, st.ip_addresses(v=4))
def test_a_client_stays_with_its_target(rows: list[tuple[int, Health]], client: object) -> None:
    group, balancer = of(rows, "IP_HASH"), Balancer()
    assert len({balancer.choose(group, str(client), idle) for _ in range(5)}) == 1


RULES = [
    Group(f"loc-{number}", HealthCheck(), domain=domain, url=url)
    for number, (domain, url) in enumerate(
        [
            ("Www.example.com", "/"),
            ("www.example.com", "/"),
            ("www.example.com", "/api"),
            ("www.example.com", "/api/v2/"),
            ("*.example.com", "/"),
            ("*.shop.example.com", "/"),
            ("www.example.*", "/"),
            ("api.only", "/api"),
        ]
    )
]


@pytest.mark.parametrize(
    ("host", "path", "expected"),
    [
        ("www.example.com", "/", "loc-1"),
        ("WWW.example.com:8080", "/apix", "loc-2"),  # a prefix of text, as in nginx
        ("www.example.com", "/api/v2/things", "loc-3"),
        ("www.example.com", "/api/v2", "loc-2"),
        ("a.example.com", "/api", "loc-4"),
        ("a.shop.example.com", "/", "loc-5"),
        ("www.example.org", "/", "loc-6"),
        ("api.only", "/other", None),
        ("api.only", "/api", "loc-7"),
        ("example.com", "/", "loc-1"),  # unknown: the default, here the oldest
        ("[::1]:80", "/", "loc-1"),
    ],
)
def test_host_and_path_choose_the_rule(host: str, path: str, expected: str | None) -> None:
    chosen = route(RULES[1:], host, path)
    assert (chosen and chosen.id) == expected


def test_the_default_domain_is_the_marked_one_then_the_empty_one() -> None:
    empty = Group("loc-empty", HealthCheck(), domain="", url="/")
    marked = Group("loc-marked", HealthCheck(), domain="m.example", url="/", default_server=True)
    rules = [*RULES[1:], empty]
    assert route(rules, "stranger", "/") is empty
    assert route([*rules, marked], "stranger", "/") is marked
    assert route([], "stranger", "/") is None


@given(st.lists(st.text("ab/", max_size=6), min_size=1, max_size=8), st.text("ab/", max_size=9))
def test_the_longest_prefix_wins(urls: list[str], path: str) -> None:
    rules = [Group(f"loc-{n}", HealthCheck(), url="/" + url) for n, url in enumerate(urls)]
    chosen = route(rules, "any", "/" + path)
    fitting = [rule.url for rule in rules if ("/" + path).startswith(rule.url)]
    assert (chosen and len(chosen.url)) == max(map(len, fitting), default=None)
