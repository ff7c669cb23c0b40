"""Read chunks on every processor: fork, work, send the small results back.

Results are values and inputs are only read, so a child needs nothing but its memory and a pipe.
Where there is one processor, no fork or little to do, all of it happens here.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import pairwise
from typing import Any, BinaryIO, Generic, TypeVar

from transformer.draft import draft
from transformer.model import Draft, Settings
from transformer.stream import Chunk, chunks
from transformer.transform import Drafted, Source

T = TypeVar("T")

# With fewer bytes for each process a fork costs more than it saves.
_WORTH_A_FORK = 100_000

# And with fewer objects of lint.
_MANY_THINGS = 200

Job = tuple[int, Chunk]
Child = tuple[int, BinaryIO]  # its process id, and the pipe that its result comes through


class Workers(Generic[T]):
    """Does `work` for each chunk on up to `count` processors; `on_progress` gets bytes done."""

    def __init__(
        self,
        work: Callable[[bytes, Chunk, Settings], T | None],
        count: int,
        on_progress: Callable[[int], None],
    ) -> None:
        self.work, self.count, self.on_progress = work, count, on_progress

    def __call__(self, sources: Sequence[Source], settings: Settings) -> list[tuple[list[T], int]]:
        """For each source, in order: the results that are not None, and its number of chunks."""
        counts = []
        jobs: list[Job] = []
        for index, source in enumerate(sources):
            pieces = chunks(source.data)
            counts.append(len(pieces))
            jobs += [(index, piece) for piece in pieces]
        size = sum(chunk.end - chunk.start for _, chunk in jobs)
        count = max(min(self.count, size // _WORTH_A_FORK), 1) if hasattr(os, "fork") else 1
        parts = _split(jobs, size, count)
        del jobs  # there may be a hundred thousand of them
        with _children() as children:
            for part in parts[1:]:
                children.append(_fork(partial(self._do, part, sources, settings, weight=0)))
            results = self._do(parts[0], sources, settings, weight=len(parts))
            while children:
                results += _collect(children)
        found: list[list[T]] = [[] for _ in sources]
        for index, one in results:
            found[index].append(one)
        return list(zip(found, counts))

    def _do(
        self, jobs: list[Job], sources: Sequence[Source], settings: Settings, weight: int
    ) -> list[tuple[int, T]]:
        results = []
        for index, chunk in jobs:
            one = self.work(sources[index].data, chunk, settings)
            if one is not None:
                results.append((index, one))
            if weight:
                self.on_progress(weight * (chunk.end - chunk.start))
        return results


class Spread(Generic[T]):
    """Does work for a number of things in up to `count` processes, each a run of them."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __call__(self, work: Callable[[int, int], list[T]], size: int) -> list[T]:
        """The results of `work` (first, last) for all things from 0 to `size`, in order."""
        count = max(min(self.count, size // _MANY_THINGS), 1) if hasattr(os, "fork") else 1
        ends = [size * part // count for part in range(count + 1)]
        with _children() as children:
            for first, last in pairwise(ends[1:]):
                children.append(_fork(partial(work, first, last)))
            results = work(0, ends[1])
            while children:
                results += _collect(children)
        return results


class Drafter:
    """Drafts sources on up to `count` processors; `on_progress` gets bytes done."""

    def __init__(self, count: int, on_progress: Callable[[int], None]) -> None:
        self.workers: Workers[Draft] = Workers(draft, count, on_progress)

    def __call__(self, sources: Sequence[Source], settings: Settings) -> list[Drafted]:
        """The drafts of each source, in order."""
        return [Drafted(*found) for found in self.workers(sources, settings)]


def _split(jobs: list[Job], size: int, workers: int) -> list[list[Job]]:
    """`jobs` in up to `workers` runs of about the same number of bytes."""
    parts: list[list[Job]] = [[]]
    filled = 0
    for job in jobs:
        if filled >= len(parts) * size / workers:
            parts.append([])
        parts[-1].append(job)
        filled += job[1].end - job[1].start
    return parts


@contextmanager
def _children() -> Iterator[list[Child]]:
    """Children to be collected; those that are left when something is raised are killed."""
    children: list[Child] = []
    try:
        yield children
    except BaseException:
        for process, pipe in children:
            with suppress(ProcessLookupError, ChildProcessError):  # it was just collected
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)
            pipe.close()
        raise


def _fork(work: Callable[[], list[T]]) -> Child:
    """Run `work` in a child."""
    import pickle

    receive, send = os.pipe()
    process = os.fork()
    if process:
        os.close(send)
        return process, os.fdopen(receive, "rb")
    status = 1
    try:
        os.close(receive)
        try:
            answer: object = work()
        except Exception as error:  # carried to the parent, which raises it
            answer = error
        with os.fdopen(send, "wb") as pipe:
            pickle.dump(answer, pipe, protocol=5)
        status = 0
    finally:
        os._exit(status)


def _collect(children: list[Child]) -> list[Any]:
    """What the first child sent; raises what it raised.  Takes it from the list."""
    import pickle

    process, pipe = children[0]
    try:
        with pipe:
            answer: list[Any] | Exception = pickle.load(pipe)
    except EOFError:
        answer = RuntimeError("a worker process died")
    os.waitpid(process, 0)
    del children[0]
    if isinstance(answer, Exception):
        raise answer
    return answer
