"""What a command ends with: an exit code, or one message about what it could not do.

The codes are those of ``kubectl diff``: 0 nothing is left to do, 1 something is, 2 an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from binder.cloud.codes import CloudError
from binder.cluster.access import NoAccess
from binder.cluster.api import Failed

NOTHING, SOMETHING, ERROR = 0, 1, 2


class Trouble(Exception):
    """What could not be done and why, for people; it ends the command with ERROR."""


@contextmanager
def told() -> Iterator[None]:
    """Failures of cluster and cloud in the block are Trouble, without a trace."""
    try:
        yield
    except (NoAccess, Failed, CloudError) as error:
        raise Trouble(str(error)) from None
