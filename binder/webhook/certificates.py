"""Certificates: what is wrong with those that are stored, and new ones. Pure, with a given clock.

Each serving certificate has a certificate authority of its own, whose key is thrown away as soon
as it has signed: no key is kept that could sign another name. A rotation therefore always
changes the bundle, and there is one way to rotate, not two.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Time = datetime.datetime
BACKDATED = datetime.timedelta(minutes=5)  # for API servers whose clocks are behind ours


class Pair(NamedTuple):
    """A serving certificate, perhaps with intermediate ones behind it, and its key; PEM."""

    certificate: str
    key: str

    def __repr__(self) -> str:
        return "Pair(…)"  # a key belongs into no log


class Material(NamedTuple):
    """Pairs, the newest first, and the authorities that API servers are to trust; PEM."""

    pairs: tuple[Pair, ...]
    bundle: str


class Due(Enum):
    """Why stored certificates have to be replaced; the value is the label of the metric."""

    NOTHING = ""
    MISSING = "secret-missing"
    CORRUPT = "secret-corrupt"
    EXPIRED = "certificate-expired"
    NAMES = "certificate-names"
    ROTATION = "rotation"


def due(stored: Material | None, names: Sequence[str], now: Time) -> Due:
    """What has to be done about `stored`; None: there is nothing that could be read."""
    if stored is None:
        return Due.MISSING
    if not stored.pairs or not is_sound(stored.pairs[0]):
        return Due.CORRUPT
    certificate = _chain(stored.pairs[0].certificate)[0]
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        return Due.EXPIRED
    if not is_for(stored.pairs[0], names):
        return Due.NAMES
    if not trusts(stored.bundle, stored.pairs[0]):
        return Due.CORRUPT
    return Due.ROTATION if now >= rotates_at(stored.pairs[0]) else Due.NOTHING


def rotates_at(pair: Pair) -> Time:
    """When two thirds of its life are over."""
    certificate = _chain(pair.certificate)[0]
    issued = certificate.not_valid_before_utc + BACKDATED
    return issued + (certificate.not_valid_after_utc - issued) * 2 / 3


def expires_at(pair: Pair) -> Time:
    """When it is over."""
    return _chain(pair.certificate)[0].not_valid_after_utc


def is_sound(pair: Pair) -> bool:
    """Whether it can be read, and the key is the certificate's."""
    try:
        key = serialization.load_pem_private_key(pair.key.encode(), password=None)
        certificate = _chain(pair.certificate)[0]
    except (ValueError, TypeError, IndexError):
        return False
    return _public(key.public_key()) == _public(certificate.public_key())


def is_for(pair: Pair, names: Sequence[str]) -> bool:
    """Whether the certificate holds these DNS names."""
    return set(names) <= set(_names(_chain(pair.certificate)[0]))


def trusts(bundle: str, pair: Pair) -> bool:
    """Whether a client that trusts `bundle` trusts the certificate, its names and dates aside."""
    authorities = _readable(bundle)
    return any(_signed(each, authorities) for each in _readable(pair.certificate))


def fresh(
    names: Sequence[str], now: Time, lifetime: float, former: Material | None = None
) -> Material:
    """New certificates; those of `former` that still are good stay trusted, and can be served."""
    kept = [
        pair
        for pair in (former.pairs[:1] if former else ())
        if former and due(former, names, now) in (Due.NOTHING, Due.ROTATION)
    ]
    pair, authority = _issue(names, now, datetime.timedelta(seconds=lifetime))
    old = [
        _pem(each)
        for one in kept
        for each in _readable(former.bundle if former else "")
        if _signed(_chain(one.certificate)[0], [each])
    ]
    return Material((pair, *kept), "".join([authority, *old]))


def _issue(names: Sequence[str], now: Time, lifetime: datetime.timedelta) -> tuple[Pair, str]:
    """A pair, and the authority that signed it and nothing else."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    # A name of its own: verifiers look for an issuer by name first.
    serial = x509.random_serial_number()
    issuer = _named(f"tke-direct webhook {serial:040x}"[:60])

    def builder(subject: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(now + lifetime)
        )

    authority = (
        builder(issuer, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    certificate = (
        builder(_named("tke-direct webhook"), key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
        .sign(authority_key, hashes.SHA256())
    )
    return Pair(_pem(certificate), _private(key)), _pem(authority)


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(certificate: x509.Certificate, authorities: Iterable[x509.Certificate]) -> bool:
    for authority in authorities:
        # TypeError: a key of a kind that does not sign; ValueError: another issuer.
        with contextlib.suppress(InvalidSignature, TypeError, ValueError):
            certificate.verify_directly_issued_by(authority)
            return True
    return False


def _chain(pem: str) -> list[x509.Certificate]:
    """ValueError where it cannot be read."""
    return x509.load_pem_x509_certificates(pem.encode())


def _readable(pem: str) -> list[x509.Certificate]:
    try:
        return _chain(pem)
    except ValueError:
        return []


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return []
    return found.value.get_values_for_type(x509.DNSName)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _private(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _public(key: object) -> bytes:
    """The public key in its standard form, whatever its kind is."""
    encoded = key.public_bytes(  # type: ignore[attr-defined]  # every kind of public key has it
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return bytes(encoded)
