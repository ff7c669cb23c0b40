"""Which way to the API server is taken, and what is said when there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from binder.cluster.access import NoAccess, connect

SECRET = "a-very-secret-token"


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_PORT", raising=False)
    place = str(tmp_path / "none")
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", place)


def write(path: Path, contexts: tuple[str, ...] = ("one", "two")) -> str:
    named = [
        ("clusters", "cluster", lambda name: {"server": f"https://{name}.example"}),
        ("users", "user", lambda _: {"token": SECRET}),
        ("contexts", "context", lambda name: {"cluster": name, "user": name}),
    ]
    text: dict[str, object] = {
        plural: [{"name": name, key: value(name)} for name in contexts]
        for plural, key, value in named
    }
    text |= {"apiVersion": "v1", "kind": "Config", "current-context": contexts[0]}
    path.write_text(json.dumps(text))
    return str(path)


@pytest.mark.parametrize(("context", "host"), [(None, "one"), ("two", "two")])
def test_a_kubeconfig_and_its_contexts(tmp_path: Path, context: str | None, host: str) -> None:
    with connect(write(tmp_path / "config"), context) as client:
        assert client.configuration.host == f"https://{host}.example"
        assert client.configuration.retries is False
        assert client.configuration.auth_settings()["BearerToken"]["value"] == f"Bearer {SECRET}"


def test_in_a_pod_its_service_account_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, text in (("token", SECRET), ("ca", "certificate")):
        (tmp_path / name).write_text(text)
    module = "kubernetes.config.incluster_config"
    monkeypatch.setattr(f"{module}.SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(f"{module}.SERVICE_CERT_FILENAME", str(tmp_path / "ca"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    monkeypatch.setattr("binder.cluster.access.ApiClient", lambda settings: _Client(settings))
    assert connect().configuration.host == "https://10.0.0.1:443"
    with connect(write(tmp_path / "config")) as client:
        assert client.configuration.host == "https://one.example"


class _Client:
    """The real one would read the certificate."""

    def __init__(self, configuration: object) -> None:
        self.configuration = configuration

    def __enter__(self) -> _Client:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def test_without_any_way_it_is_said_what_to_do() -> None:
    with pytest.raises(NoAccess, match=r"^no cluster: .*; run in a Pod .* --kubeconfig"):
        connect()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "text",
        f"users: [{SECRET}\n  {{",
        f"{SECRET}: \t: x",
        "{}",
        "current-context: none\ncontexts: []\n",
    ],
)
def test_a_broken_kubeconfig_is_said_without_its_secrets(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(NoAccess) as caught:
        connect(str(path))
    assert SECRET not in str(caught.value)


def test_a_context_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoAccess, match="three"):
        connect(write(tmp_path / "config"), "three")


def test_a_file_that_may_not_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoAccess, match="no cluster"):
        connect(str(tmp_path))
