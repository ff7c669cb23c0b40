"""Configuration: found, checked, explained."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from schemas.contract import NetworkMode, Workload
from transformer import config
from transformer.errors import ConfigError
from transformer.model import LabelSelector, Requirement

HEAD = "apiVersion: tke-direct.dev/v1alpha1\nkind: DirectAccess\n"

WRONG = {
    "an unknown key": (
        HEAD + "spec:\n  netwrkMode: mixed\n",
        r"c:4:3: spec: unknown key 'netwrkMode'; did you mean 'networkMode'\?",
    ),
    "an unknown key deep inside": (
        HEAD + "spec:\n  targets:\n    services: {selct: all}\n",
        r"c:5:16: spec.targets.services: unknown key 'selct'; did you mean 'select'\?",
    ),
    "an unknown mode": (
        HEAD + "spec: {networkMode: mixt}\n",
        r"c:3:21: spec.networkMode: unknown value 'mixt'; did you mean 'mixed'\?",
    ),
    "another kind": ("apiVersion: v1\nkind: Service\n", r"c:\d:\d+: (apiVersion|kind): .*"),
    "nothing": ("", r"c:1:1: the file: .*"),
    "a list": ("- a\n", r"c:1:1: the file: .*"),
    "a key twice": (HEAD + "kind: DirectAccess\n", r"c:3:1: key 'kind' stands twice"),
    "no YAML": ("a: [", r"c:1:5: .*"),
    "a tab": ("a:\n\tb: c\n", r"c:2:1: a tab indents this line.*"),
    "a tag": ("spec: !foo {}\n", r"c:1:1: the file: 'apiVersion' is a required property"),
    "no date": ("x: 2001-99-99\n", r"c:1:1: the file: .*"),
    "aliases without end": (
        "a: &a [x]\n"
        + "".join(f"{n}: &{n} [{', '.join(['*' + m] * 9)}]\n" for m, n in pairwise("abcdefghij")),
        r"c:1:1: its aliases expand to millions of nodes",
    ),
    "a key that is a mapping": ("spec: {{a: b}: 2}\n", r"c:1:1: .*"),
    "two documents": (HEAD + "---\n" + HEAD, r"c:4:1: expected one document.*"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_says_where_and_what(name: str) -> None:
    text, message = WRONG[name]
    with pytest.raises(ConfigError, match=message):
        config.parse(text.encode(), "c")


def test_the_nearest_file_counts_up_to_the_root_of_the_repository(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    deep = repository / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / config.FILE_NAME).touch()
    assert config.find(deep) == tmp_path / config.FILE_NAME
    (repository / ".git").mkdir()
    assert config.find(deep) is None
    (repository / "a" / config.FILE_NAME).touch()
    assert config.find(deep) == repository / "a" / config.FILE_NAME


def test_no_mode_is_an_error_that_teaches() -> None:
    with pytest.raises(ConfigError) as caught:
        config.settings(config.EMPTY)
    message = str(caught.value)
    assert all(mode.value in message for mode in NetworkMode)
    assert "kubectl -n kube-system get daemonset" in message


def test_the_command_line_overrules_the_file() -> None:
    content = config.parse((HEAD + "spec: {networkMode: mixed}\n").encode(), "c")
    assert config.settings(content).mode is NetworkMode.MIXED
    assert config.settings(content, NetworkMode.VPC_CNI).mode is NetworkMode.VPC_CNI


def test_every_option_arrives() -> None:
    spec = """\
spec:
  networkMode: mixed
  overrides: [{networkMode: serverless, namespaces: [games]}]
  targets:
    services:
      select: annotated
      labelSelector:
        matchLabels: {a: b}
        matchExpressions: [{key: c, operator: In, values: [d]}]
    ingresses: {defaultClass: true}
  readinessGate: {inject: false, conditionType: example.com/ready}
  container: proxy
  graceful: {enabled: true, preStopSeconds: 20, terminationGracePeriodSeconds: 90}
  workloads: [{group: example.com, kind: Game, podTemplate: spec.pod}]
  exclude: [vendor]
"""
    made = config.settings(config.parse((HEAD + spec).encode(), "c"))
    assert made.modes == (NetworkMode.MIXED, NetworkMode.SERVERLESS)
    assert made.services_select == "annotated"
    assert made.services_selector == LabelSelector((("a", "b"),), (Requirement("c", "In", ("d",)),))
    assert made.ingress_default_class
    assert (made.inject, made.gate) == (False, "example.com/ready")
    assert (made.graceful, made.pre_stop_s, made.grace_period_s) == (True, 20, 90)
    game = Workload("example.com", "Game", ("spec", "pod"))
    assert made.workloads["Game"] == {"example.com": game}
    assert (made.container, made.exclude) == ("proxy", ("vendor",))


def test_a_grace_period_shorter_than_the_sleep_is_refused() -> None:
    spec = "spec: {networkMode: mixed, graceful: {enabled: true, preStopSeconds: 60}}\n"
    with pytest.raises(ConfigError, match="must exceed preStopSeconds"):
        config.settings(config.parse((HEAD + spec).encode(), "c"))


@pytest.mark.parametrize(
    ("operator", "labels", "matches"),
    [
        ("In", {"k": "a"}, True),
        ("In", {"k": "z"}, False),
        ("In", {}, False),
        ("NotIn", {"k": "z"}, True),
        ("NotIn", {}, True),
        ("NotIn", {"k": "a"}, False),
        ("Exists", {"k": ""}, True),
        ("Exists", {}, False),
        ("DoesNotExist", {}, True),
        ("DoesNotExist", {"k": "a"}, False),
    ],
)
def test_label_selectors_match_as_kubernetes_does(
    operator: str, labels: dict[str, str], matches: bool
) -> None:
    selector = LabelSelector((), (Requirement("k", operator, ("a", "b")),))
    assert selector.matches(labels) is matches
