"""Which Services and Ingresses ask for which frontends, Pods, ports and settings."""

from __future__ import annotations

import json
import random

import pytest

from binder.core.bindings import Binding, Resolved, bindings, port_of, selects
from binder.core.clb import Attributes, Check, Frontend
from binder.core.objects import (
    Backend,
    ContainerPort,
    Ingress,
    IngressPath,
    Pod,
    Service,
    ServiceConfig,
    ServicePort,
)
from binder.core.serving import By, served_by
from binder.settings import Settings
from schemas.contract import (
    BINDER_CERTIFICATE,
    BINDER_GATE,
    BINDER_INGRESS_CLASS,
    EXISTING_CLB,
    INGRESS_CLASS,
    INGRESS_DIRECT_ACCESS,
    LISTEN_PORTS,
    LOAD_BALANCER_CLASS,
    RULE_MIX,
    SERVICE_CONFIG,
    SERVICE_DIRECT_ACCESS,
    SPECIFY_PROTOCOL,
    SYNC_MODE,
)

SETTINGS, ALL, EXISTING = Settings(), Settings(adopt_all=True), Settings(manage_listeners=False)
HTTP = ServicePort("http", 80, "TCP", 8080)
DNS = ServicePort("dns", 53, "UDP", "dns")
ON_CLB = {EXISTING_CLB["service"]: "lb-1", EXISTING_CLB["ingress"]: "lb-1"}
DIRECT = {"service": SERVICE_DIRECT_ACCESS, "ingress": INGRESS_DIRECT_ACCESS}


def service(**fields: object) -> Service:
    usual = {
        "type": "LoadBalancer",
        "load_balancer_class": LOAD_BALANCER_CLASS,
        "annotations": ON_CLB,
        "selector": (("app", "web"),),
        "ports": (HTTP,),
    }
    return Service(**{"uid": "u1", "namespace": "ns", "name": "web", **usual, **fields})


def ingress(*paths: IngressPath, **fields: object) -> Ingress:
    usual = {"ingress_class": BINDER_INGRESS_CLASS, "annotations": ON_CLB, "paths": paths}
    return Ingress(**{"uid": "u2", "namespace": "ns", "name": "site", **usual, **fields})


def path(host: str = "a.com", url: str = "/", port: int | str = 80, to: str = "web") -> IngressPath:
    return IngressPath(host, url, Backend(to, port))


def resolve(*objects: Service | Ingress | ServiceConfig, settings: Settings = SETTINGS) -> Resolved:
    kinds = [
        [one for one in objects if isinstance(one, kind)]
        for kind in (Service, Ingress, ServiceConfig)
    ]
    return bindings(*kinds, settings)


def reasons(resolved: Resolved) -> list[str]:
    assert all(tell.type == "Warning" for tell in resolved.tells)
    return [tell.reason for tell in resolved.tells]


def frontends(resolved: Resolved) -> list[str]:
    return [str(one.frontend) for one in resolved.bindings]


def parked(kind: str, direct: str = "true", mode: str = "skip") -> dict[str, str]:
    return {DIRECT[kind]: direct, SYNC_MODE[kind]: mode}


# Opting in:


@pytest.mark.parametrize(
    ("kind", "named", "annotations", "settings", "served"),
    [
        ("LoadBalancer", LOAD_BALANCER_CLASS, {}, SETTINGS, By.BINDER),
        ("ClusterIP", LOAD_BALANCER_CLASS, {}, SETTINGS, By.NOBODY),
        ("LoadBalancer", "", {}, SETTINGS, By.NOBODY),
        ("LoadBalancer", "", parked("service"), SETTINGS, By.BINDER),
        ("LoadBalancer", "", parked("service", direct="True"), SETTINGS, By.BINDER),
        ("LoadBalancer", "", parked("service", direct="false"), SETTINGS, By.NOBODY),
        ("LoadBalancer", "", parked("service", mode=""), SETTINGS, By.TKE),
        ("LoadBalancer", "", parked("ingress"), SETTINGS, By.NOBODY),
        ("LoadBalancer", "other/class", parked("service"), ALL, By.NOBODY),
        ("NodePort", "", parked("service"), ALL, By.NOBODY),
        ("LoadBalancer", "", {}, ALL, By.BINDER),
        ("LoadBalancer", "", {SERVICE_DIRECT_ACCESS: "false"}, ALL, By.NOBODY),
    ],
)
def test_a_service_is_served_by_one(
    kind: str, named: str, annotations: dict[str, str], settings: Settings, served: By
) -> None:
    one = service(type=kind, load_balancer_class=named, annotations=annotations)
    assert served_by(one, settings) is served
    found = resolve(one, settings=settings)
    assert bool(found.bindings) is (served is By.BINDER)
    assert [each.owner for each in found.elsewhere] == [one.owner] * (served is By.TKE)


@pytest.mark.parametrize(
    ("named", "annotations", "settings", "served"),
    [
        (BINDER_INGRESS_CLASS, {}, SETTINGS, By.BINDER),
        (INGRESS_CLASS, {}, SETTINGS, By.NOBODY),
        (INGRESS_CLASS, parked("ingress"), SETTINGS, By.BINDER),
        (INGRESS_CLASS, parked("ingress", mode="on"), SETTINGS, By.TKE),
        (INGRESS_CLASS, parked("service"), SETTINGS, By.NOBODY),
        (INGRESS_CLASS, {}, ALL, By.BINDER),
        (INGRESS_CLASS, {INGRESS_DIRECT_ACCESS: "false"}, ALL, By.NOBODY),
        (None, {}, ALL, By.NOBODY),
        (None, {INGRESS_DIRECT_ACCESS: "true"}, ALL, By.NOBODY),  # there is no such controller
        (None, parked("ingress"), SETTINGS, By.BINDER),
        (None, parked("ingress", mode="on"), SETTINGS, By.TKE),
        ("nginx", parked("ingress"), ALL, By.NOBODY),
    ],
)
def test_an_ingress_is_served_by_one(
    named: str | None, annotations: dict[str, str], settings: Settings, served: By
) -> None:
    one = ingress(path(), ingress_class=named, annotations=annotations)
    assert served_by(one, settings) is served
    found = resolve(service(), one, settings=settings)
    assert [each.owner for each in found.elsewhere] == [one.owner] * (served is By.TKE)


def test_what_terminates_wants_nothing() -> None:
    gone = service(terminating=True)
    assert resolve(gone, ingress(path(), terminating=True)) == ((), (), ())


def test_what_is_not_ours_is_not_told_of() -> None:
    broken = {SPECIFY_PROTOCOL: "{", LISTEN_PORTS: "{"}
    others = service(load_balancer_class="", annotations=broken, selector=())
    assert resolve(others, ingress(ingress_class="nginx", annotations=broken)) == ((), (), ())


# Services:


def test_each_port_of_a_service_is_a_frontend() -> None:
    resolved = resolve(service(ports=(HTTP, DNS)))
    owner = service().owner
    assert resolved.bindings == (
        Binding(owner, "lb-1", Frontend("TCP", 80), (("app", "web"),), 8080, "TCP"),
        Binding(owner, "lb-1", Frontend("UDP", 53), (("app", "web"),), "dns", "UDP"),
    )
    assert not resolved.tells


def test_a_service_without_a_load_balancer_still_has_bindings() -> None:
    resolved = resolve(service(annotations={}))
    assert [one.lb for one in resolved.bindings] == [""]
    assert not resolved.tells


def test_what_is_no_id_of_a_load_balancer_is_told() -> None:
    resolved = resolve(service(annotations={EXISTING_CLB["service"]: "${CLB}"}))
    assert [one.lb for one in resolved.bindings] == [""]
    assert reasons(resolved) == ["InvalidLoadBalancer"]


@pytest.mark.parametrize(("value", "gating"), [("false", False), ("true", True), ("", True)])
def test_an_owner_opts_out_of_gating(value: str, gating: bool) -> None:
    annotations = {**ON_CLB, BINDER_GATE: value}
    resolved = resolve(service(annotations=annotations), ingress(path(), annotations=annotations))
    assert [one.gating for one in resolved.bindings] == [gating, gating]


def test_a_service_without_a_selector_binds_nothing() -> None:
    resolved = resolve(service(selector=()))
    assert (resolved.bindings, reasons(resolved)) == ((), ["NoSelector"])


@pytest.mark.parametrize(
    ("said", "found", "told"),
    [
        ('{"80": {"protocol": ["TCP"]}}', ["TCP 80", "UDP 53"], []),
        ('{"80": {"protocol": ["TCP_SSL"], "tls": "s"}}', ["UDP 53"], ["UnsupportedProtocol"]),
        ('{"80": {"protocol": ["TCP", "UDP"]}}', ["TCP 80", "UDP 53"], ["UnsupportedProtocol"]),
        ('{"80": {"protocol": "HTTP"}}', ["UDP 53"], ["UnsupportedProtocol"]),
        ('{"81": {"protocol": ["HTTP"]}}', ["TCP 80", "UDP 53"], []),
        ('{"80": {}}', ["TCP 80", "UDP 53"], []),
        ("[1]", ["TCP 80", "UDP 53"], []),
        ("{", ["TCP 80", "UDP 53"], ["InvalidAnnotation"]),
        ("[" * 100_000, ["TCP 80", "UDP 53"], ["InvalidAnnotation"]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_port_with_another_protocol_is_left_out(
    said: str, found: list[str], told: list[str]
) -> None:
    resolved = resolve(service(ports=(HTTP, DNS), annotations={**ON_CLB, SPECIFY_PROTOCOL: said}))
    assert (frontends(resolved), reasons(resolved)) == (found, told)


def test_a_protocol_without_listeners_is_left_out() -> None:
    resolved = resolve(service(ports=(ServicePort("x", 9, "SCTP", 9),)))
    assert (frontends(resolved), reasons(resolved)) == ([], ["UnsupportedProtocol"])


# Ingresses:

BACKEND = service(type="ClusterIP", load_balancer_class="")
SECURE = {**ON_CLB, BINDER_CERTIFICATE: "cert1"}


def test_a_path_is_bound_to_the_pods_of_its_service() -> None:
    resolved = resolve(BACKEND, ingress(path(port="http"), path("", "/x")))
    owner = ingress().owner
    assert resolved.bindings == (
        Binding(owner, "lb-1", Frontend("HTTP", 80, "a.com", "/"), BACKEND.selector, 8080, "TCP"),
        Binding(owner, "lb-1", Frontend("HTTP", 80, "", "/x"), BACKEND.selector, 8080, "TCP"),
    )
    assert not resolved.tells


@pytest.mark.parametrize(
    ("to", "told"),
    [
        (path(to="none"), "ServiceNotFound"),
        (path(port=81), "ServicePortNotFound"),
        (path(port="nope"), "ServicePortNotFound"),
        (path(port=53), "ServicePortNotFound"),  # of UDP
        (path(to="external"), "NoSelector"),
        (path("a" * 81), "UnsupportedPath"),
        (path(url="/" + "a" * 200), "UnsupportedPath"),
    ],
)
def test_a_path_that_leads_nowhere_is_told(to: IngressPath, told: str) -> None:
    external = service(name="external", type="ExternalName", load_balancer_class="", selector=())
    web = BACKEND._replace(ports=(HTTP, DNS))
    resolved = resolve(web, external, ingress(to, path("b.com")))
    assert (frontends(resolved), reasons(resolved)) == (["HTTP 80 b.com/"], [told])
    assert resolved.tells[0].about == ingress().owner


def test_of_a_path_that_stands_twice_the_first_counts() -> None:
    other = BACKEND._replace(name="other", selector=(("app", "other"),))
    resolved = resolve(BACKEND, other, ingress(path(url=""), path(to="other")))
    assert [one.selector for one in resolved.bindings] == [BACKEND.selector]
    assert reasons(resolved) == ["DuplicatePath"]


@pytest.mark.parametrize(
    ("hosts", "host", "protocol"),
    [
        (None, "a.com", "HTTP 80"),
        (frozenset(), "a.com", "HTTPS 443"),
        (frozenset({"a.com"}), "a.com", "HTTPS 443"),
        (frozenset({"a.com"}), "b.com", "HTTP 80"),
        (frozenset({"*.a.com"}), "x.a.com", "HTTPS 443"),
        (frozenset({"*.a.com"}), "x.y.a.com", "HTTP 80"),
        (frozenset({"a.com"}), "", "HTTP 80"),
    ],
)
def test_hosts_with_tls_have_https(hosts: frozenset[str] | None, host: str, protocol: str) -> None:
    resolved = resolve(BACKEND, ingress(path(host), tls_hosts=hosts, annotations=SECURE))
    assert frontends(resolved) == [f"{protocol} {host or '*'}/"]
    assert resolved.bindings[0].certificate == ("cert1" if protocol == "HTTPS 443" else "")


def test_https_without_a_certificate_is_told_once() -> None:
    site = ingress(path(), path("b.com"), tls_hosts=frozenset())
    resolved = resolve(BACKEND, site)
    assert (frontends(resolved), reasons(resolved)) == ([], ["CertificateMissing"])
    assert BINDER_CERTIFICATE in resolved.tells[0].message


def test_a_listener_that_exists_has_its_certificate() -> None:
    resolved = resolve(BACKEND, ingress(path(), tls_hosts=frozenset()), settings=EXISTING)
    assert (frontends(resolved), reasons(resolved)) == (["HTTPS 443 a.com/"], [])


@pytest.mark.parametrize(
    ("said", "found", "told"),
    [
        ('[{"HTTP": 8080}]', ["HTTP 8080 a.com/"], []),
        ('[{"http": 1}, {"HTTP": 2}, {"HTTP": 2}]', ["HTTP 1 a.com/", "HTTP 2 a.com/"], []),
        ('[{"HTTP": 80}, {"HTTPS": 443}]', ["HTTP 80 a.com/"], ["UnusedListenPort"]),
        ('[{"HTTPS": 443}]', [], ["ListenPortMissing", "UnusedListenPort"]),
        ('[{"HTTP": 0}]', [], ["InvalidAnnotation"]),
        ('[{"HTTP": true}]', [], ["InvalidAnnotation"]),
        ('[{"TCP": 80}]', [], ["InvalidAnnotation"]),
        ("[80]", [], ["InvalidAnnotation"]),
        ("[]", [], ["InvalidAnnotation"]),
        ("80", [], ["InvalidAnnotation"]),
    ],
)
def test_ports_to_listen_on_are_as_annotated(said: str, found: list[str], told: list[str]) -> None:
    annotations = {**SECURE, LISTEN_PORTS: said}
    resolved = resolve(BACKEND, ingress(path(), annotations=annotations))
    assert (frontends(resolved), reasons(resolved)) == (found, told)


def test_ports_that_are_no_json_are_told() -> None:
    resolved = resolve(BACKEND, ingress(path(), annotations={**SECURE, LISTEN_PORTS: "{"}))
    assert not resolved.bindings
    assert set(reasons(resolved)) == {"InvalidAnnotation"}


def test_rules_in_annotations_are_told() -> None:
    resolved = resolve(BACKEND, ingress(path(), annotations={**ON_CLB, RULE_MIX: "true"}))
    assert (frontends(resolved), reasons(resolved)) == (
        ["HTTP 80 a.com/"],
        ["UnsupportedAnnotation"],
    )


def test_an_ingress_reaches_a_service_that_is_bound_itself() -> None:
    assert frontends(resolve(service(), ingress(path()))) == ["TCP 80", "HTTP 80 a.com/"]


# TkeServiceConfigs:


def configured(row: object, where: tuple[str, int, str, str] = ("TCP", 80, "", "")) -> Resolved:
    named = {**ON_CLB, SERVICE_CONFIG["service"]: "conf", SERVICE_CONFIG["ingress"]: "conf"}
    config = ServiceConfig("ns", "conf", {where: row})  # type: ignore[dict-item]  # as users write
    one: Service | Ingress = service(annotations=named)
    if where[0] == "HTTP":
        return resolve(BACKEND, ingress(path(*where[2:]), annotations=named), config)
    return resolve(one._replace(ports=(HTTP, DNS)), config)


CHECKED = {"enable": True, "intervalTime": 10, "timeout": 3, "healthNum": 2, "unHealthNum": 4}


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ({}, Attributes()),
        ({"protocol": "TCP", "port": 80}, Attributes()),
        ({"scheduler": "LEAST_CONN"}, Attributes(scheduler="LEAST_CONN")),
        ({"session": {"enable": True}}, Attributes(session=30)),
        ({"session": {"enable": True, "sessionExpireTime": 3600}}, Attributes(session=3600)),
        ({"session": {"enable": False, "sessionExpireTime": 60}}, Attributes(session=0)),
        ({"healthCheck": {}}, Attributes(Check())),
        ({"healthCheck": CHECKED}, Attributes(Check(True, 10, 3, 2, 4))),
        ({"healthCheck": {**CHECKED, "enable": False}}, Attributes(Check(enabled=False))),
        (
            {"healthCheck": {"checkType": "HTTP", "httpCheckPath": "/ok", "httpCode": 2}},
            Attributes(Check(), check_type="HTTP", http_path="/ok", http_code=2),
        ),
        (
            {"healthCheck": {"checkPort": 81, "sourceIpType": 0, "httpCheckMethod": "GET"}},
            Attributes(Check(), check_port=81, source_ip=0, http_method="GET"),
        ),
    ],
)
def test_settings_are_as_named(row: object, wanted: Attributes) -> None:
    resolved = configured(row)
    assert [one.attributes for one in resolved.bindings] == [wanted, Attributes()]
    assert not resolved.tells


@pytest.mark.parametrize(
    ("row", "wanted", "said"),
    [
        ({"scheduler": "IP_HASH"}, Attributes(), "scheduler"),
        ({"session": {"enable": True, "sessionExpireTime": 29}}, Attributes(session=30), "Expire"),
        ({"session": {"enable": "on"}}, Attributes(), "session.enable"),
        ({"session": 5}, Attributes(), "session"),
        ({"healthCheck": {"enable": 1}}, Attributes(), "healthCheck.enable"),
        ({"healthCheck": {"intervalTime": 4}}, Attributes(Check()), "intervalTime"),
        ({"healthCheck": {"intervalTime": True}}, Attributes(Check()), "intervalTime"),
        ({"healthCheck": {"timeout": 5}}, Attributes(Check()), "timeout 5 is not less"),
        ({"healthCheck": {"unHealthNum": 11}}, Attributes(Check()), "unHealthNum"),
        ({"healthCheck": {"checkType": "PING"}}, Attributes(Check()), "checkType"),
        ({"healthCheck": {"httpCheckPath": ""}}, Attributes(Check()), "httpCheckPath"),
        ({"healthCheck": {"httpCode": 32}}, Attributes(Check()), "httpCode"),
        ({"proxyProtocol": {"enable": True}}, Attributes(), "proxyProtocol is not supported"),
    ],
)
def test_a_setting_out_of_range_is_told_and_left(
    row: object, wanted: Attributes, said: str
) -> None:
    resolved = configured(row)
    assert resolved.bindings[0].attributes == wanted
    assert reasons(resolved) == ["InvalidServiceConfig"]
    assert said in resolved.tells[0].message
    assert "conf, TCP 80" in resolved.tells[0].message


def test_settings_of_a_rule_are_found_by_domain_and_path() -> None:
    row = {"scheduler": "IP_HASH", "healthCheck": {"httpCheckDomain": "x.com"}}
    for host in ("a.com", ""):
        resolved = configured(row, ("HTTP", 80, host, "/x"))
        wanted = Attributes(Check(), scheduler="IP_HASH", http_domain="x.com")
        assert [one.attributes for one in resolved.bindings] == [wanted]
        assert not resolved.tells


def test_settings_that_are_not_there_are_told_and_bind_all_the_same() -> None:
    named = {**ON_CLB, SERVICE_CONFIG["service"]: "none"}
    resolved = resolve(service(annotations=named))
    assert (frontends(resolved), reasons(resolved)) == (["TCP 80"], ["ServiceConfigNotFound"])


# The whole, and Pods:


def test_the_order_of_objects_does_not_matter() -> None:
    objects = [
        *(service(name=f"s{number}", selector=()) for number in range(3)),
        *(service(name=f"t{number}") for number in range(3)),
        *(ingress(path(to=f"{number}"), name=f"i{number}") for number in range(3)),
    ]
    expected = resolve(*objects)
    assert len(expected.tells) == 6
    for seed in range(20):
        random.Random(seed).shuffle(objects)
        assert resolve(*objects) == expected


PORTS = (
    ContainerPort("web", 8080, "UDP"),
    ContainerPort("web", 8081, "TCP"),
    ContainerPort("dns", 53, "UDP"),
)


@pytest.mark.parametrize(
    ("target", "transport", "port"),
    [
        (9, "TCP", 9),
        ("web", "TCP", 8081),
        ("web", "UDP", 8080),
        ("dns", "TCP", None),
        ("none", "TCP", None),
    ],
)
def test_a_named_port_is_that_of_the_protocol(
    target: int | str, transport: str, port: int | None
) -> None:
    binding = resolve(service()).bindings[0]._replace(target_port=target, transport=transport)
    assert port_of(Pod("u", "ns", "p", ports=PORTS), binding) == port


@pytest.mark.parametrize(
    ("namespace", "labels", "selected"),
    [
        ("ns", {"app": "web"}, True),
        ("ns", {"app": "web", "x": "y"}, True),
        ("ns", {"app": "other"}, False),
        ("ns", {}, False),
        ("other", {"app": "web"}, False),
    ],
)
def test_a_binding_selects_pods_of_its_namespace(
    namespace: str, labels: dict[str, str], selected: bool
) -> None:
    pod = Pod("u", namespace, "p", labels=labels)
    binding = resolve(service()).bindings[0]
    assert selects(binding, pod) is selected
    assert not selects(binding._replace(selector=()), pod)


def test_messages_say_what_to_write() -> None:
    said = json.dumps([{"TCP": 1}])
    resolved = resolve(BACKEND, ingress(path(), annotations={**ON_CLB, LISTEN_PORTS: said}))
    assert '[{"HTTP": 80}, {"HTTPS": 443}]' in resolved.tells[0].message
