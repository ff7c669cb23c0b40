"""Lines with fields, few when something repeats itself, and never a secret."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from binder.operations import logs
from binder.operations.logs import BURST, JSON, QUIET, TEXT, set_up
from binder.operations.redact import Redactor

LOG = logging.getLogger("binder.test")
KEY = "gX7kPqE2mVn8RtYc"  # looks like nothing in particular
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
AUTHORIZATION = f"TC3-HMAC-SHA256 Credential=AKIDx/2026-11-21/clb/tc3_request, Signature={KEY}{KEY}"
PEM = f"-----BEGIN EC PRIVATE KEY-----\n{KEY}\n{KEY}\n-----END EC PRIVATE KEY-----"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Logging as it was."""
    root, ours = logging.getLogger(), logging.getLogger(logs.OURS)
    before = root.handlers[:], root.level, ours.level, threading.excepthook
    yield
    root.handlers[:], level, our_level, threading.excepthook = before
    root.setLevel(level)
    ours.setLevel(our_level)


class Log:
    """What was logged, with a clock of its own."""

    def __init__(self, format: str | None = JSON, **options: Any) -> None:
        self.now, self.stream = 0.0, io.StringIO()
        self.redactor = set_up(format, stream=self.stream, clock=lambda: self.now, **options)

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


def test_a_message_is_an_object_with_its_fields() -> None:
    log = Log()
    LOG.info("wrote %d", 3, extra={"lb": "lb-1", "done": 2, "share": 0.5, "full": None})
    (line,) = log.lines
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "binder.test",
        "message": "wrote 3",
        "lb": "lb-1",
        "done": 2,
        "share": 0.5,
        "full": None,
    }


def test_people_get_a_line() -> None:
    log = Log(TEXT)
    LOG.info("gate open", extra={"pod": "shop/web-1", "reason": "all is well"})
    assert log.text.endswith('Z info    test: gate open  pod=shop/web-1  reason="all is well"\n')


@pytest.mark.parametrize("format", [JSON, TEXT])
def test_what_is_logged_cannot_forge_a_line(format: str) -> None:
    log = Log(format)
    LOG.info("a\n2026 error: b", extra={"lb": "c\r\nd"})
    assert len(log.text.splitlines()) == 1


def test_a_stream_that_is_no_terminal_gets_json() -> None:
    log = Log(None)
    LOG.info("hello")
    assert log.lines[0]["message"] == "hello"


def test_a_terminal_gets_text() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    set_up(stream=stream)
    LOG.info("hello")
    assert stream.getvalue().endswith(" test: hello\n")


def test_a_field_with_the_name_of_ours_is_kept() -> None:
    log = Log()
    LOG.info("hello", extra={"level": "high", "time": 3})
    assert (log.lines[0]["level"], log.lines[0]["level_"], log.lines[0]["time_"]) == (
        "info",
        "high",
        3,
    )


def test_the_trace_of_an_error_is_a_field() -> None:
    log = Log()
    try:
        raise ValueError("broken")
    except ValueError:
        LOG.exception("failed")
    assert log.lines[0]["error"].endswith("ValueError: broken")


def test_a_mistake_in_a_message_costs_no_line() -> None:
    log = Log()
    LOG.info("%d things", "many")
    assert log.lines[0]["message"] == "%d things (TypeError in the message)"


def test_a_level_is_a_threshold() -> None:
    log = Log(level="warning")
    LOG.info("quiet")
    LOG.warning("loud")
    assert [line["message"] for line in log.lines] == ["loud"]


def test_libraries_may_only_warn() -> None:
    log = Log(level="debug")
    logging.getLogger("urllib3").debug("a request")
    logging.getLogger("kubernetes.client.rest").info("a body")
    LOG.debug("ours")
    assert [line["message"] for line in log.lines] == ["ours"]


def test_a_thread_that_fails_is_logged() -> None:
    log = Log()

    def fail() -> None:
        raise ValueError(f"token={KEY}")

    thread = threading.Thread(target=fail, name="tick")
    thread.start()
    thread.join()
    (line,) = log.lines
    assert (line["message"], line["thread_name"]) == ("a thread has ended", "tick")
    assert KEY not in log.text


LEAKS: dict[str, Callable[[], None]] = {
    "message": lambda: LOG.info(f"SecretKey={KEY}"),
    "argument": lambda: LOG.info("asked %s", {"TmpSecretKey": KEY}),
    "field": lambda: LOG.info("asked", extra={"secret_key": KEY}),
    "camel case": lambda: LOG.info("asked", extra={"SecretKey": KEY}),
    "token": lambda: LOG.info("asked", extra={"webIdentityToken": KEY}),
    "nested": lambda: LOG.info("asked", extra={"body": {"a": [{"Token": KEY}]}}),
    "json": lambda: LOG.info(json.dumps({"Token": KEY, "a": 1})),
    "json in json": lambda: LOG.info(json.dumps({"body": json.dumps({"Token": KEY})})),
    "quoted with spaces": lambda: LOG.info(f'password: "two {KEY} words"'),
    "header": lambda: LOG.info(f"Authorization: Bearer {KEY}"),
    "headers": lambda: LOG.info("sent %s", {"Authorization": AUTHORIZATION}),
    "signed": lambda: LOG.info(AUTHORIZATION),
    "bearer": lambda: LOG.info(f"with bearer {KEY}"),
    "basic": lambda: LOG.info(f"authorization=basic {KEY}"),
    "query": lambda: LOG.info(f"https://host/?a=1&token={KEY}&b=2"),
    "yaml": lambda: LOG.info(f"client-key-data: {KEY}"),
    "tc header": lambda: LOG.info("X-TC-Token: %s", KEY),
    "pem": lambda: LOG.info(PEM),
    "half a pem": lambda: LOG.info(PEM[:-30]),
    "error": lambda: _raised(f'{{"SecretKey": "{KEY}"}}'),
}


def _raised(text: str) -> None:
    try:
        raise ValueError(text)
    except ValueError:
        LOG.exception("failed")


@pytest.mark.parametrize("format", [JSON, TEXT])
@pytest.mark.parametrize("leak", LEAKS)
def test_a_secret_does_not_appear(leak: str, format: str) -> None:
    log = Log(format)
    LEAKS[leak]()
    assert log.text
    assert KEY not in log.text
    assert "***" in log.text


def test_a_web_token_is_known_by_its_form() -> None:
    log = Log()
    LOG.info("got %s", JWT)
    assert log.lines[0]["message"] == "got ***"


def test_a_key_that_is_known_appears_nowhere() -> None:
    log = Log()
    log.redactor.hide(KEY, None, "")
    LOG.info(f"https://host/{KEY}/x", extra={"reason": f"'{KEY}' is no key"})
    assert KEY not in log.text
    assert log.lines[0]["message"] == "https://host/***/x"


@pytest.mark.parametrize(
    "text",
    [
        "lb-1 lbl-2: InvalidParameter.LBIdNotFound (request 3f1c)",
        "the token bucket of DescribeTargets is empty",
        "SecretId AKIDabc is not known",
        "2/3 ready; waiting for shop/web TCP 80 lb-1: Alive, watched for 3 s more",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Redactor()(text) == text


@pytest.mark.parametrize("text", ["a-" * 50_000, "\\" * 100_000, "token" * 20_000, "a" * 100_000])
def test_a_long_text_is_cut_and_takes_no_time(text: str) -> None:
    log = Log()
    LOG.info(text)
    assert len(log.text) < 3 * logs.LONGEST


def test_a_warning_that_repeats_itself_is_left_out_and_counted() -> None:
    log = Log()
    for _ in range(BURST + 40):
        LOG.warning("CLB", extra={"lb": "lb-1", "code": "InternalError"})
    LOG.warning("CLB", extra={"lb": "lb-2", "code": "InternalError"})  # another one
    assert [line["lb"] for line in log.lines] == ["lb-1"] * BURST + ["lb-2"]
    assert log.lines[BURST - 1]["quiet_for"] == QUIET
    log.now = QUIET
    LOG.warning("CLB", extra={"lb": "lb-1", "code": "InternalError"})
    assert log.lines[-1]["left_out"] == 40


def test_what_is_no_warning_is_never_left_out() -> None:
    log = Log()
    for _ in range(3 * BURST):
        LOG.info("wrote")
    assert len(log.lines) == 3 * BURST
