"""The boundary of the program: errors become exit codes, and the process ends."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from contextlib import suppress

import click

from transformer.cli import cli
from transformer.errors import ConfigError, Unproven, WriteError


def main() -> None:
    """The command line ``tke-direct``."""
    bounded(_invoke)


def bounded(work: Callable[[], int]) -> None:
    """Do `work` and exit: the one boundary between errors and exit codes."""
    import gc

    # Trees have no cycles, so reference counting frees them; the collector only costs time.
    gc.disable()
    if sys.stdout is None:
        _fail(2, "standard output is closed")
    _buffer_output()
    try:
        code = work()
        sys.stdout.flush()
        sys.exit(code)
    except (click.Abort, KeyboardInterrupt):
        _fail(130, f"interrupted; {_changed()}")
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except BrokenPipeError:
        # The reader of the pipe is gone, as with `| head`: nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except (ConfigError, WriteError) as error:
        _fail(2, str(error))
    except Unproven as error:
        _fail(
            3,
            f"a bug in tke-direct: the proof failed ({error}); {_changed()}. "
            "Please report it with the manifest.",
        )
    except OSError as error:
        where = error.filename or "input or output"
        _fail(2, f"{where}: {error.strerror or error}; {_changed()}")
    except Exception as error:
        if os.environ.get("TKE_DIRECT_TRACEBACK"):
            raise
        _fail(
            3,
            f"a bug in tke-direct: {type(error).__name__}: {error}; {_changed()}. "
            "Please report it; TKE_DIRECT_TRACEBACK=1 shows where.",
        )


def _buffer_output() -> None:
    """With PYTHONUNBUFFERED standard output is raw: it takes what fits on the disk or into the
    pipe, and a program that does not ask loses the rest without a word.
    """
    raw = getattr(sys.stdout, "buffer", None)
    if isinstance(raw, io.RawIOBase):
        out = io.BufferedWriter(raw)
        encoding, errors = sys.stdout.encoding, sys.stdout.errors
        sys.stdout = io.TextIOWrapper(out, encoding, errors, write_through=True)


def console() -> None:
    """The program ``tke-direct``."""
    _end_at_once(main)


def function() -> None:
    """The program ``tke-direct-fn``."""
    from transformer.doors.function import main as work

    _end_at_once(lambda: bounded(work))


def _end_at_once(work: Callable[[], None]) -> None:
    """Do `work`, and end the process as soon as it exits.

    To free a million nodes one by one takes a tenth of a run, and the system does it for nothing.
    """
    try:
        work()
    except SystemExit as stop:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                with suppress(OSError):  # what cannot be written was said before
                    stream.flush()
        os._exit(stop.code if isinstance(stop.code, int) else 0)


def _invoke() -> int:
    """Run the command line; its exit code.

    click's own ``main`` makes 1 of a broken pipe, and 1 means findings here.
    """
    if "_TKE_DIRECT_COMPLETE" in os.environ:  # a shell asks for completions
        cli.main(prog_name="tke-direct")
    try:
        with cli.make_context("tke-direct", sys.argv[1:]) as context:
            cli.invoke(context)
    except click.exceptions.Exit as stop:
        return int(stop.exit_code)
    return 0


def _changed() -> str:
    """What became of the files by now, for the end of a message."""
    files = sys.modules.get("transformer.files")  # not imported: nothing can have been written
    number: int = files.replaced if files else 0
    return f"{number} files were changed before" if number else "nothing was written"


def _fail(code: int, message: str) -> None:
    click.echo(f"{click.style('error', fg='red', bold=True)}: {message}", err=True)
    sys.exit(code)
