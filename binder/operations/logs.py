"""Logs: a line of JSON or of text for each message, with its fields, without secrets.

Fields are the `extra` of a message. What repeats itself is left out for a while, and the next line
of its kind says how many were.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TextIO

from binder.operations.redact import GONE, Redactor, is_secret

JSON, TEXT = FORMATS = ("json", "text")
LEVELS = ("debug", "info", "warning", "error")
LONGEST = 8192  # characters of a message or field
OURS = "binder"

# What every record has; all else are fields.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_RESERVED = frozenset({"time", "level", "logger", "message", "error"})

BURST = 5  # lines of one kind
QUIET = 30.0  # seconds in which there are no more of them
_KINDS = 1024  # that are remembered
_KIND = ("lb", "pod", "code", "action")  # fields that tell kinds apart


def set_up(
    format: str | None = None,
    level: str = "info",
    stream: TextIO | None = None,
    redactor: Redactor | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Redactor:
    """Log to `stream` (default: stderr); what comes back is to be told of keys.

    Without a `format`, people at a terminal get text and all others JSON.

    Libraries may say warnings only: at lower levels some of them log requests, with what is
    secret in them.
    """
    stream = sys.stderr if stream is None else stream
    redactor = redactor or Redactor()
    as_text = stream.isatty() if format is None else format == TEXT
    handler = logging.StreamHandler(stream)
    handler.setFormatter((Text if as_text else Json)(redactor))
    handler.addFilter(Repeats(clock))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger(OURS).setLevel(level.upper())
    threading.excepthook = _thread_failed
    return redactor


def _thread_failed(failure: threading.ExceptHookArgs) -> None:
    if failure.exc_value is not None and failure.exc_type is not SystemExit:
        name = failure.thread.name if failure.thread else "?"
        logging.getLogger(OURS).error(
            "a thread has ended", extra={"thread_name": name}, exc_info=failure.exc_value
        )


class _Formatter(logging.Formatter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redact = redactor

    def _clean(self, value: object) -> object:
        if value is None or isinstance(value, (bool, int, float)):
            return value
        text = value if isinstance(value, str) else str(value)
        # First without secrets, then short: what has been cut off may end a secret.
        return _short(self._redact(text[: 4 * LONGEST]))

    def _message(self, record: logging.LogRecord) -> str:
        try:
            message = record.getMessage()
        except Exception as error:  # a line with a mistake is worth more than none
            message = f"{record.msg} ({type(error).__name__} in the message)"
        return str(self._clean(message))

    def _fields(self, record: logging.LogRecord) -> Iterator[tuple[str, object]]:
        for name, value in vars(record).items():
            if name not in _STANDARD:
                name = f"{name}_" if name in _RESERVED else name
                yield name, GONE if is_secret(name) and value else self._clean(value)

    def _error(self, record: logging.LogRecord) -> str:
        if not record.exc_info or record.exc_info[0] is None:
            return ""
        text = "".join(traceback.format_exception(*record.exc_info)).rstrip()
        return str(self._clean(text))


class Json(_Formatter):
    """An object in one line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _utc(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._message(record),
            **dict(self._fields(record)),
        }
        if error := self._error(record):
            line["error"] = error
        return json.dumps(line, ensure_ascii=False)


class Text(_Formatter):
    """A line for people; the trace of an error follows it."""

    def format(self, record: logging.LogRecord) -> str:
        level = record.levelname.lower()
        fields = "".join(f"  {name}={_word(value)}" for name, value in self._fields(record))
        logger = record.name.removeprefix(f"{OURS}.")
        line = f"{_utc(record)} {level:7} {logger}: {_one_line(self._message(record))}{fields}"
        error = self._error(record)
        return f"{line}\n{error}" if error else line


def _utc(record: logging.LogRecord) -> str:
    second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{second}.{int(record.msecs):03d}Z"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text) - LONGEST} more)"


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _word(value: object) -> str:
    text = _one_line(str(value))
    return json.dumps(text, ensure_ascii=False) if " " in text or not text else text


class _Kind(NamedTuple):
    since: float
    said: int
    left_out: int


class Repeats(logging.Filter):
    """Lets BURST warnings or errors of one kind through in QUIET seconds. Safe for threads.

    The last one that gets through says that more will be left out, so nothing is lost in silence.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._kinds: OrderedDict[tuple[object, ...], _Kind] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        fields = vars(record)
        key = (record.name, record.levelno, str(record.msg), *(str(fields.get(k)) for k in _KIND))
        with self._lock:
            now = self._clock()
            kind = self._kinds.pop(key, _Kind(now, 0, 0))
            if now - kind.since >= QUIET:
                if kind.left_out:
                    record.left_out = kind.left_out
                kind = _Kind(now, 0, 0)
            passes = kind.said < BURST
            kind = _Kind(kind.since, kind.said + passes, kind.left_out + (not passes))
            if passes and kind.said == BURST:
                record.quiet_for = QUIET
            self._kinds[key] = kind
            while len(self._kinds) > _KINDS:
                self._kinds.popitem(last=False)
        return passes
