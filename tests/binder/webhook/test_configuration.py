"""What is wrong with a MutatingWebhookConfiguration, and what mends it."""

from __future__ import annotations

import base64
import copy
from typing import Any

import pytest

from binder.webhook import configuration
from binder.webhook.configuration import VERSION, VERSION_ANNOTATION, damage, wanted
from binder.webhook.options import Options
from schemas.contract import SKIP

OPTIONS = Options("own")
BUNDLE = "-----BEGIN CERTIFICATE-----"
THEIRS = {"name": "theirs.example.com", "clientConfig": {"url": "https://theirs"}}


def live(**changes: Any) -> dict[str, Any]:
    """The one that we want, as the API server has it, with changes to our webhook."""
    found: Any = copy.deepcopy(wanted(OPTIONS, BUNDLE))
    found["metadata"] |= {"resourceVersion": "7", "generation": 1}
    found["webhooks"][0] |= changes
    return found  # type: ignore[no-any-return]


def test_the_one_that_we_make_is_in_order() -> None:
    assert not damage(live(), OPTIONS, BUNDLE).what


def test_what_others_add_is_not_ours_to_judge() -> None:
    found = live()
    found["webhooks"].insert(0, THEIRS)
    found["metadata"]["labels"]["theirs"] = "x"
    found["metadata"]["annotations"]["theirs"] = "x"
    assert not damage(found, OPTIONS, BUNDLE).what


@pytest.mark.parametrize("field", [key for key in live()["webhooks"][0] if key != "clientConfig"])
def test_every_field_of_ours_is_watched(field: str) -> None:
    found = live()
    del found["webhooks"][0][field]
    assert damage(found, OPTIONS, BUNDLE).what == "configuration-edited"


CLIENT = live()["webhooks"][0]["clientConfig"]


@pytest.mark.parametrize(
    ("changes", "what", "field"),
    [
        ({"failurePolicy": "Fail"}, "configuration-edited", "failurePolicy"),
        ({"timeoutSeconds": 30}, "configuration-edited", "timeoutSeconds"),
        ({"rules": []}, "configuration-edited", "rules"),
        ({"namespaceSelector": {}}, "configuration-edited", "namespaceSelector"),
        ({"clientConfig": {**CLIENT, "caBundle": ""}}, "bundle", "caBundle"),
        ({"clientConfig": {**CLIENT, "caBundle": "QQ=="}}, "bundle", "caBundle"),
        ({"clientConfig": {"service": CLIENT["service"]}}, "bundle", "caBundle"),
        ({"clientConfig": {"url": "https://theirs"}}, "configuration-edited", "clientConfig"),
        ({"clientConfig": {"service": {}}}, "configuration-edited", "clientConfig"),
        ({"matchConditions": [{"name": "no"}]}, "configuration-edited", "matchConditions"),
    ],
)
def test_damage_has_a_name(changes: Any, what: str, field: str) -> None:
    found = damage(live(**changes), OPTIONS, BUNDLE)
    assert found.what == what
    assert field in found.fields


@pytest.mark.parametrize("annotation", [None, "", "0", "soon"])
def test_a_configuration_without_our_version_is_damaged(annotation: str | None) -> None:
    found = live()
    found["metadata"]["annotations"] = {VERSION_ANNOTATION: annotation} if annotation else {}
    assert damage(found, OPTIONS, BUNDLE).fields == ("annotations",)


def test_one_that_is_not_there_is_missing() -> None:
    assert damage(None, OPTIONS, BUNDLE).what == "configuration-missing"
    assert configuration.without_foreign(None, OPTIONS, BUNDLE) is None


def test_an_empty_one_is_damaged() -> None:
    found = {**live(), "webhooks": None}
    assert damage(found, OPTIONS, BUNDLE).what == "configuration-edited"
    assert configuration.without_foreign(found, OPTIONS, BUNDLE) is None


def test_what_applying_cannot_remove_is_patched_away_first() -> None:
    found = live(clientConfig={"url": "https://x", "caBundle": "QQ=="}, matchConditions=[{}])
    found["webhooks"].append(THEIRS)
    patch: Any = configuration.without_foreign(found, OPTIONS, None)
    assert patch["metadata"] == {"resourceVersion": "7"}
    ours, theirs = patch["webhooks"]
    assert theirs == THEIRS
    assert "matchConditions" not in ours
    assert ours["clientConfig"] == {"service": CLIENT["service"], "caBundle": "QQ=="}
    assert configuration.without_foreign(live(rules=[]), OPTIONS, BUNDLE) is None


def newer(**changes: Any) -> dict[str, Any]:
    found = live(**changes)
    found["metadata"]["annotations"][VERSION_ANNOTATION] = str(VERSION + 1)
    return found


def test_of_a_newer_version_only_the_bundle_is_mended() -> None:
    assert not damage(newer(timeoutSeconds=9, rules=[]), OPTIONS, BUNDLE).what
    found = newer(timeoutSeconds=9, clientConfig={**CLIENT, "caBundle": ""})
    assert damage(found, OPTIONS, BUNDLE) == (("caBundle",), "bundle")
    patch: Any = configuration.without_foreign(found, OPTIONS, BUNDLE)
    assert patch["webhooks"][0]["timeoutSeconds"] == 9
    assert patch["webhooks"][0]["clientConfig"] == CLIENT


def test_a_newer_version_that_has_no_such_webhook_is_left_alone() -> None:
    assert not damage({**newer(), "webhooks": [THEIRS]}, OPTIONS, BUNDLE).what


def test_a_bundle_that_somebody_else_keeps_is_not_named() -> None:
    options = OPTIONS._replace(certificates="/certs", inject_ca_from="own/web")
    body: Any = wanted(options, None)
    assert "caBundle" not in body["webhooks"][0]["clientConfig"]
    assert body["metadata"]["annotations"]["cert-manager.io/inject-ca-from"] == "own/web"
    body["webhooks"][0]["clientConfig"]["caBundle"] = "QQ=="
    assert not damage(body, options, None).what


def test_pods_are_chosen_by_labels_and_our_own_namespaces_are_left_out() -> None:
    options = OPTIONS._replace(object_selector=(("direct", "yes"),))
    hook: Any = configuration.webhook_in(wanted(options, BUNDLE))
    assert hook["objectSelector"]["matchLabels"] == {"direct": "yes"}
    assert hook["objectSelector"]["matchExpressions"][0]["key"] == SKIP
    (excluded,) = hook["namespaceSelector"]["matchExpressions"]
    assert excluded["values"] == ["own", "kube-system"]
    assert hook["namespaceSelector"]["matchLabels"] == {"tke-direct.dev/inject": "enabled"}


@pytest.mark.parametrize("text", ["", "%", "/w=="])
def test_a_bundle_that_cannot_be_read_trusts_nobody(text: str) -> None:
    assert configuration.bundle_in(live(clientConfig={"caBundle": text})) == ""


def test_a_bundle_is_read_back() -> None:
    text = base64.b64encode(BUNDLE.encode()).decode()
    assert configuration.bundle_in(live(clientConfig={"caBundle": text})) == BUNDLE
    assert configuration.bundle_in(None) == ""
