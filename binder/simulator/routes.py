"""Which rule of an L7 listener a request belongs to.

Facts from the CLB documentation, "layer-7 domain name forwarding and URL rules": exact names come
before ``*.example.com``, those before ``www.example.*``; names nobody configured go to the
listener's default domain; within a domain the longest matching path wins.
"""

from __future__ import annotations

from collections.abc import Iterable

from binder.simulator.model import Group


def route(groups: Iterable[Group], host: str, path: str) -> Group | None:
    """The rule for a request with this Host header and path; None: answer 404.

    Rules by regular expression (``~...``) are not simulated: they match nothing.
    """
    rules = list(groups)
    domain = best_domain(rules, host_name(host))
    fitting = [rule for rule in rules if rule.domain == domain and path.startswith(rule.url)]
    return max(fitting, key=lambda rule: len(rule.url), default=None)


def best_domain(rules: list[Group], name: str) -> str | None:
    """The domain closest to a host's name, else the default one; None where there is no rule.

    The default one is that of the rule with ``default_server``, else an empty one, else that of
    the oldest rule.
    """
    near = max(rules, key=lambda rule: closeness(rule.domain, name), default=None)
    if near is None:
        return None
    if closeness(near.domain, name) > NO_MATCH:
        return near.domain
    return max(rules, key=lambda rule: (rule.default_server, not rule.domain)).domain


NO_MATCH = (0, 0)


def closeness(domain: str, name: str) -> tuple[int, int]:
    """How well a rule's domain fits a host's name: the kind of match, then its length."""
    domain = domain.lower()
    if domain and domain == name:
        return 3, len(domain)
    if domain.startswith("*.") and name.endswith(domain[1:]):
        return 2, len(domain)
    if domain.endswith(".*") and name.startswith(domain[:-1]):
        return 1, len(domain)
    return NO_MATCH


def host_name(host: str) -> str:
    """The name in a Host header: without port, in lower case."""
    if host.startswith("["):  # an IPv6 address
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].lower()
