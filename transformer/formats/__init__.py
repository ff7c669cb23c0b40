"""Reports as text and for machines: one module a format, each with ``render``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformer.lint.report import Report

FORMATS: tuple[str, ...] = ("text", "json", "github", "sarif", "junit")


def render(name: str, report: Report, *, carets: bool = False) -> str:
    """`report` in the format `name`, one of FORMATS: '' or text that ends with a line break.

    `carets` shows the source below each finding; formats for machines ignore it.  Only the
    module of that format is imported.
    """
    if name == "text":
        from transformer.formats import text

        return text.render(report, carets=carets)
    if name not in FORMATS:
        raise KeyError(name)
    rendered: str = import_module(f"transformer.formats.{name}").render(report)
    return rendered
