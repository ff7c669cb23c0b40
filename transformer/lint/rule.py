"""What a rule is, and what it finds."""

from __future__ import annotations

from typing import NamedTuple

from transformer.values import Path

ERROR, WARNING, INFO = "error", "warning", "info"
SEVERITIES = (ERROR, WARNING, INFO)

# How sure a fact is.  A is also what the Kubernetes API enforces, B what the code of those
# engineers does.  Only A and B may be errors.
GRADES = {
    "A": "documented by TKE, CLB or Kubernetes",
    "B": "published by engineers of Tencent Cloud",
    "C": "seen in the field",
    "D": "inferred",
}


class Rule(NamedTuple):
    """The row of a rule; its name is its file's, with dashes, its text the file's docstring.

    ``severity`` is the gravest it reports.  ``whole_build`` says that it judges by what is not
    there, so that it is silent when files are looked at one by one: another one may have it.
    ``fixable`` says that its findings can carry the edits that ``transform`` would make.
    """

    severity: str
    grade: str
    source: str
    whole_build: bool = False
    fixable: bool = False


class Finding(NamedTuple):
    """Something wrong inside one object.

    ``path`` leads from the object's root to the place; where it does not exist, the nearest
    place above it is shown.  ``at_key`` points at the last key rather than at its value.
    ``message`` says what is wrong, what was expected and what to do; the report adds file,
    resource and field.  ``repairs`` are those places among what the object lacks that writing
    them would mend.
    """

    path: Path
    message: str
    severity: str = ""  # '' : the rule's
    at_key: bool = False
    repairs: tuple[Path, ...] = ()
