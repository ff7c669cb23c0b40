"""Where the key comes from, and how it is kept fresh without making a call wait for it.

Sources, in this order: the CAM role of the Pod (TKE's OIDC), a mounted Secret, the environment.
The SDK's own chain is not used: it asks the node's metadata service before the Pod's role, without
a time-out.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from tencentcloud.common.credential import (  # type: ignore[import-untyped]  # it has no types
    DefaultTkeOIDCRoleArnProvider,
)
from tencentcloud.common.exception.tencent_cloud_sdk_exception import (  # type: ignore[import-untyped]
    TencentCloudSDKException,
)

from binder.cloud import codes
from binder.cloud.codes import CloudError
from binder.cloud.deadline import within

log = logging.getLogger(__name__)

STS = "AssumeRoleWithWebIdentity"
ROLE_VARIABLES = ("TKE_ROLE_ARN", "TKE_REGION", "TKE_PROVIDER_ID", "TKE_WEB_IDENTITY_TOKEN_FILE")
ID_VARIABLE, KEY_VARIABLE = "TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY"
TOKEN_VARIABLE = "TENCENTCLOUD_TOKEN"  # noqa: S105  a name
FILES = ("SecretId", "SecretKey", "Token")

RENEW_ROLE = 3600.0  # seconds; the SDK asks for a key of 7200
RETRY = 30.0  # seconds until a renewal that failed is tried again
PATIENCE = 10.0  # seconds for STS


class Key(NamedTuple):
    """What calls are signed with; it must not be printed, so it does not print itself."""

    secret_id: str
    secret_key: str
    token: str | None = None

    def __repr__(self) -> str:
        return "Key(***)"


class Source(Protocol):
    """Where keys come from. `renew` is after how many seconds there is a new one, None: never."""

    renew: float | None

    def get(self) -> Key:
        """The key of now; CloudError of Kind.IDENTITY when there is none."""


class Role:
    """The CAM role of the Pod. `sts` is the host of STS, "" for the SDK's own."""

    renew: float | None = RENEW_ROLE

    def __init__(self, sts: str = "") -> None:
        self._sts = sts

    def get(self) -> Key:
        try:
            return within(PATIENCE, self._ask)
        except TimeoutError:
            raise _refused(STS, f"STS did not answer within {PATIENCE:g} s") from None
        except TencentCloudSDKException as error:
            # Its message may quote the request, and so the Pod's token.
            code = str(error.code)
            raise _refused(STS, f"STS refused the Pod's role ({code}); see {_ROLE_HELP}") from None
        except OSError as error:
            reason = f"{error.strerror}: {error.filename}" if error.filename else str(error)
            raise _refused(STS, f"{reason}; see {_ROLE_HELP}") from None
        except Exception as error:
            kind = type(error).__name__
            raise _refused(STS, f"STS answered something strange ({kind})") from None

    def _ask(self) -> Key:
        role = DefaultTkeOIDCRoleArnProvider().get_credential()
        if self._sts:
            role.endpoint = self._sts
        return Key(*role.get_credential_info())


class Mounted:
    """A Secret that is mounted as a directory; it is read again when its files change."""

    renew: float | None = 0.0

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._seen: tuple[object, Key] | None = None

    def get(self) -> Key:
        try:
            state = self._state()
            if self._seen is None or self._seen[0] != state:
                self._seen = state, self._read()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not text"
            raise _refused(
                "credentials",
                f"no key in {self._directory} ({reason}): mount a Secret there with SecretId and "
                "SecretKey, and Token for a temporary key",
            ) from None
        return self._seen[1]

    def _state(self) -> object:
        return [(file, _stat(self._directory / file)) for file in FILES]

    def _read(self) -> Key:
        # The kubelet replaces a Secret by moving the link ..data: both files of one generation.
        data = self._directory / "..data"
        base = data.resolve() if data.exists() else self._directory
        secret_id, secret_key = (_text(base / file) for file in FILES[:2])
        token = base / FILES[2]
        return Key(secret_id, secret_key, _text(token) if token.exists() else None)


class Environment:
    """Variables of the environment, which do not change."""

    renew: float | None = None

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def get(self) -> Key:
        secret_id = self._environ.get(ID_VARIABLE, "").strip()
        secret_key = self._environ.get(KEY_VARIABLE, "").strip()
        if not secret_id or not secret_key:
            raise _refused("credentials", NOTHING)
        return Key(secret_id, secret_key, self._environ.get(TOKEN_VARIABLE, "").strip() or None)


_ROLE_HELP = f"the variables {', '.join(ROLE_VARIABLES)}, which TKE's pod identity webhook sets"
NOTHING = (
    "there is no key for CLB: let the service account of the binder assume a CAM role "
    f"({_ROLE_HELP}), or mount a Secret, or set {ID_VARIABLE} and {KEY_VARIABLE}"
)


def choose(environ: Mapping[str, str], directory: Path | None = None, sts: str = "") -> Source:
    """The source that the installation provides; what is missing is told by its ``get``."""
    if any(environ.get(name) for name in ROLE_VARIABLES[:1] + ROLE_VARIABLES[2:]):
        return Role(sts)
    if directory is not None and directory.is_dir():
        return Mounted(directory)
    return Environment(environ)


def sts_of(endpoint: str) -> str:
    """The host of STS that belongs to one of CLB; "" for the SDK's own.

    Without internet both are reached by their internal names only.
    """
    service, _, domain = endpoint.partition(".")
    return f"sts.{domain}" if service == "clb" and domain.endswith("tencentcloudapi.com") else ""


class Credentials:
    """The key that calls are signed with, as the SDK takes it.

    A call never waits for a renewal, except for the first key: ``tend`` renews in advance, every
    now and then, off the hot path. A source that fails leaves the key that there is.

    `told` is called with the parts of each new key, for whoever has to keep them out of logs.
    """

    def __init__(self, source: Source, clock: Callable[[], float]) -> None:
        self._source, self._clock = source, clock
        self._lock = threading.Lock()
        self._key: Key | None = None
        self._got_at = 0.0
        self._failed_at: float | None = None
        self.told: Callable[..., object] = lambda *_parts: None

    def get_credential_info(self) -> tuple[str, str, str | None]:
        """For the SDK: id, key and token; CloudError where there is none."""
        key = self.key()
        return key.secret_id, key.secret_key, key.token

    def key(self) -> Key:
        """The key of now."""
        if self._key is None:
            return self.renew()
        if self._source.renew == 0:  # a file is read in no time
            self.tend()
        return self._key

    def tend(self) -> None:
        """Renew the key when it is time; failures are logged, and tried again."""
        now = self._clock()
        waiting = self._failed_at is not None and now - self._failed_at < RETRY
        if not self._due(now) or waiting:
            return
        try:
            self.renew()
        except CloudError as error:
            self._failed_at = now
            log.warning("the key for CLB could not be renewed, the old one is used: %s", error)

    def keep(self, stop: threading.Event) -> None:
        """Tend until `stop`; for a thread."""
        while not stop.wait(RETRY):
            self.tend()

    def renew(self) -> Key:
        """Get the key again; CloudError when there is none, and then the old one stays."""
        asked = self._clock()
        with self._lock:
            if self._key is not None and self._got_at > asked:
                return self._key  # somebody else did, while we waited
            key = self._source.get()
            if self._key is not None and key != self._key:
                log.info("there is a new key for CLB")
            self._key, self._got_at, self._failed_at = key, self._clock(), None
        self.told(*filter(None, key))
        return key

    def age(self) -> float:
        """How many seconds ago the key was asked for."""
        return self._clock() - self._got_at

    def conceal(self, text: str) -> str:
        """`text` without any part of the key."""
        for part in self._key or ():
            text = text.replace(part, "***") if part else text
        return text

    def _due(self, now: float) -> bool:
        renew = self._source.renew
        return self._key is None or (renew is not None and now - self._got_at >= renew)


def _refused(action: str, message: str) -> CloudError:
    return codes.error(codes.NO_CREDENTIALS, message, action)


def _stat(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size


def _text(file: Path) -> str:
    text = file.read_text(encoding="utf-8").strip()
    if not text:
        raise OSError(0, "empty", str(file))
    return text
