"""Everything that is raised, drawn once.

Exception
├── ConfigError      the configuration or the call is wrong: exit 2
├── WriteError       a file cannot be replaced, and none was: exit 2
├── Malformed        a document that cannot be read; becomes a Diagnostic
├── Refused          an edit that would be wrong; becomes a Diagnostic
└── Unproven         our own mistake, caught by the proof before anything is written: exit 3
"""

from __future__ import annotations


class ConfigError(Exception):
    """The user's configuration or call is wrong; the message says what to do."""


class WriteError(Exception):
    """A file could not be replaced; no file was changed.  The message names it."""


class Malformed(Exception):
    """A text that is not readable YAML.

    ``offset`` counts characters from the start of the text, ``code`` names the diagnostic.
    """

    def __init__(self, code: str, offset: int, message: str) -> None:
        super().__init__(message)
        self.code, self.offset, self.message = code, offset, message


class Refused(Exception):
    """An edit that must not be made: it would change another place or contradict the manifest.

    ``offset`` counts characters, ``field`` is the dotted path inside the resource.
    """

    def __init__(self, code: str, offset: int, field: str, message: str) -> None:
        super().__init__(message)
        self.code, self.offset, self.field, self.message = code, offset, field, message


class Unproven(Exception):
    """The spliced text does not mean "before plus the planned edits"."""
