"""What is due for stored certificates, and that new ones never shut anybody out."""

from __future__ import annotations

import datetime
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from binder.webhook import certificates, secret
from binder.webhook.certificates import Due, Material, Pair, due, fresh, trusts

NOW = datetime.datetime(2026, 6, 1, tzinfo=datetime.timezone.utc)
LIFE = 90 * 24 * 3600.0
NAMES = ("web.own.svc", "web.own.svc.cluster.local")
STORED = fresh(NAMES, NOW, LIFE)
OTHER = fresh(NAMES, NOW, LIFE)


def later(share: float) -> datetime.datetime:
    """When this share of a life is over."""
    return NOW + datetime.timedelta(seconds=LIFE * share)


class Case(NamedTuple):
    stored: Material | None
    expected: Due
    share: float = 0.0
    names: tuple[str, ...] = NAMES


PAIR, BUNDLE = STORED.pairs[0], STORED.bundle
CASES = {
    "new": Case(STORED, Due.NOTHING),
    "just before two thirds": Case(STORED, Due.NOTHING, 0.666),
    "after two thirds": Case(STORED, Due.ROTATION, 0.667),
    "at the end": Case(STORED, Due.EXPIRED, 1.0),
    "long before": Case(STORED, Due.EXPIRED, -0.1),
    "no Secret": Case(None, Due.MISSING),
    "no pair": Case(Material((), BUNDLE), Due.CORRUPT),
    "no PEM": Case(Material((Pair("no", "no"),), BUNDLE), Due.CORRUPT),
    "no key": Case(Material((Pair(PAIR.certificate, ""),), BUNDLE), Due.CORRUPT),
    "another's key": Case(
        Material((Pair(PAIR.certificate, OTHER.pairs[0].key),), BUNDLE), Due.CORRUPT
    ),
    "another's bundle": Case(Material((PAIR,), OTHER.bundle), Due.CORRUPT),
    "an empty bundle": Case(Material((PAIR,), ""), Due.CORRUPT),
    "another name": Case(STORED, Due.NAMES, names=("other.own.svc",)),
    "one name more": Case(STORED, Due.NAMES, names=(*NAMES, "other.own.svc")),
    "one name fewer": Case(STORED, Due.NOTHING, names=NAMES[:1]),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_due_follows_from_what_is_stored_and_the_time(case: Case) -> None:
    assert due(case.stored, case.names, later(case.share)) is case.expected


def test_a_new_pair_is_for_a_server_with_a_key_on_p_256() -> None:
    certificate = x509.load_pem_x509_certificate(PAIR.certificate.encode())
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    assert certificate.not_valid_before_utc < NOW
    assert certificates.expires_at(PAIR) == later(1)


def test_after_a_rotation_the_bundle_trusts_the_old_certificate_and_the_new_one() -> None:
    rotated = fresh(NAMES, later(0.7), LIFE, STORED)
    new, old = rotated.pairs
    assert old == PAIR
    assert trusts(rotated.bundle, old)
    assert trusts(rotated.bundle, new)
    assert not trusts(STORED.bundle, new)
    assert due(rotated, NAMES, later(0.7)) is Due.NOTHING


def test_many_rotations_keep_two_pairs_and_two_authorities() -> None:
    material = STORED
    for turn in range(1, 6):
        material = fresh(NAMES, later(0.7 * turn), LIFE, material)
    assert len(material.pairs) == 2
    assert material.bundle.count("BEGIN CERTIFICATE") == 2


@pytest.mark.parametrize(
    ("former", "share"),
    [
        (STORED, 1.0),
        (Material((Pair("no", "no"),), BUNDLE), 0.0),
        (Material((PAIR,), OTHER.bundle), 0.0),
        (fresh(("other.svc",), NOW, LIFE), 0.0),
    ],
    ids=["expired", "unreadable", "untrusted", "for another name"],
)
def test_what_nobody_could_use_is_not_kept(former: Material, share: float) -> None:
    made = fresh(NAMES, later(share), LIFE, former)
    assert len(made.pairs) == 1
    assert made.bundle.count("BEGIN CERTIFICATE") == 1


def test_no_key_of_an_authority_is_kept_anywhere() -> None:
    texts = secret.write(fresh(NAMES, later(0.7), LIFE, STORED))
    assert set(texts) == {"ca.crt", "tls.crt", "tls.key", "previous.crt", "previous.key"}
    authority = x509.load_pem_x509_certificate(BUNDLE.encode())
    assert (
        authority.public_key()
        != x509.load_pem_x509_certificate(PAIR.certificate.encode()).public_key()
    )


def test_a_key_does_not_show_when_a_pair_is_printed() -> None:
    assert "PRIVATE" not in f"{STORED!r} {PAIR!r} {PAIR}"


@pytest.mark.parametrize("share", [0.0, 0.7])
def test_a_secret_gives_back_what_was_written(share: float) -> None:
    material = fresh(NAMES, later(share), LIFE, STORED if share else None)
    assert secret.read(secret.new("own", "web", material)) == material


@pytest.mark.parametrize(
    "data",
    [None, {}, [], {"tls.crt": "%%%"}, {"tls.crt": "/w==", "tls.key": 7, "ca.crt": None}],
)
def test_a_secret_that_cannot_be_read_is_corrupt(data: object) -> None:
    assert due(secret.read({"data": data}), NAMES, NOW) is Due.CORRUPT


def test_a_damaged_former_pair_does_not_matter() -> None:
    rotated = fresh(NAMES, later(0.7), LIFE, STORED)
    data = {**secret.write(rotated), "previous.key": ""}
    stored = secret.read({"data": data})
    assert stored.pairs == rotated.pairs[:1]
    assert due(stored, NAMES, later(0.7)) is Due.NOTHING


def test_a_secret_that_is_written_keeps_all_but_the_wish_to_rotate() -> None:
    live = {
        "metadata": {
            "name": "web",
            "resourceVersion": "7",
            "annotations": {secret.ROTATE: "now", "theirs": "x"},
        },
        "type": "Opaque",
        "data": {},
    }
    assert secret.is_asked_to_rotate(live)
    changed = secret.changed(live, STORED)
    assert not secret.is_asked_to_rotate(changed)
    assert changed["metadata"] == {
        "name": "web",
        "resourceVersion": "7",
        "annotations": {"theirs": "x"},
    }
    assert secret.read(changed) == STORED
