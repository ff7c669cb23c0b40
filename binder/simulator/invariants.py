"""What must hold of any journal: each check names the entries that break it.

Pure functions. What the journal cannot know (which Pods are gone, which load balancers are whose)
comes with ``Facts``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from binder.simulator.journal import Entry

SERVING = ("Alive", "Close")


class Violation(NamedTuple):
    """A rule that was broken, and the numbers of the entries that show it."""

    invariant: str
    message: str
    entries: tuple[int, ...]


@dataclass(frozen=True)
class Facts:
    """What whoever asks knows. Times are seconds of the simulator's clock."""

    account: str = "*"  # whose deeds are judged; * for everybody's but the seed's
    gone: Mapping[str, float] = field(default_factory=dict)  # a target's tag: when its Pod went
    gone_within_s: float = 60.0  # a target of a gone Pod may stay as long as this
    grace_s: float = 0.0  # a target is at weight 0 for at least as long as this
    min_available: Mapping[str, int] = field(default_factory=dict)  # listener: serving targets
    per_second: int = 20
    until: float | None = None  # the end of the observation; default: the last entry


def facts(given: Mapping[str, Any]) -> Facts:
    """Facts from JSON."""
    unknown = given.keys() - {row.name for row in fields(Facts)}
    if unknown:
        raise ValueError(f"no such fact: {', '.join(sorted(unknown))}")
    return Facts(**given)


def check(journal: Sequence[Entry], known: Facts) -> list[Violation]:
    """Every violation of every invariant."""
    found = []
    for name, invariant in INVARIANTS.items():
        found += [Violation(name, text, rows) for text, rows in invariant(journal, known)]
    return found


Found = Iterator[tuple[str, tuple[int, ...]]]
Key = tuple[str, str, str, str, int]


def gone_pods_are_unbound(journal: Sequence[Entry], known: Facts) -> Found:
    """No target stays bound longer than `gone_within_s` after its Pod went."""
    until = (
        known.until if known.until is not None else max((row["t"] for row in journal), default=0)
    )
    bound: dict[Key, Entry] = {}
    ended: list[tuple[Entry, float]] = []
    for row in _changes(journal):
        if row["what"] == "bound":
            bound[_key(row)] = row
        elif row["what"] == "unbound" and _key(row) in bound:
            ended.append((bound.pop(_key(row)), row["t"]))
    for start, end in [*ended, *((row, until) for row in bound.values())]:
        gone = known.gone.get(start["tag"])
        if gone is not None and end - max(gone, start["t"]) > known.gone_within_s:
            late = end - gone
            yield f"{_name(start)} was bound for {late:g} s after its Pod went", (start["seq"],)


def foreign_targets_are_left_alone(journal: Sequence[Entry], known: Facts) -> Found:
    """Nobody unbinds or re-weighs what somebody else bound."""
    owners: dict[Key, Entry] = {}
    for row in _changes(journal):
        if row["what"] == "bound":
            owners[_key(row)] = row
        elif row["what"] in ("unbound", "weight") and _judged(row, known):
            owner = owners.get(_key(row))
            if owner is None or owner["by"] != row["by"]:
                whose = owner["by"] if owner else "somebody unknown"
                entries = (*([owner["seq"]] if owner else []), row["seq"])
                yield f"{row['by']} did {row['what']} to {_name(row)} of {whose}", entries


def no_write_under_a_lock(journal: Sequence[Entry], known: Facts) -> Found:
    """While a task holds a load balancer, other writes to it are refused."""
    tasks = [row for row in journal if row["kind"] == "task"]
    by_lb = defaultdict(list)
    for task in tasks:
        for lb in task["lbs"]:
            by_lb[lb].append(task)
    for row in journal:
        if row["kind"] != "call" or not row["writes"] or row["outcome"] != "OK":
            continue
        for task in (task for lb in row["lbs"] for task in by_lb[lb]):
            other = task["request_id"] != row["request_id"]
            if other and task["started"] < row["arrived"] < task["t"]:
                text = f"{row['action']} was let in while {task['action']} held {row['lbs']}"
                yield text, (row["seq"], task["seq"])


def rates_are_kept(journal: Sequence[Entry], known: Facts) -> Found:
    """Nobody calls an action more than `per_second` times in a second of arrival."""
    seen: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for row in journal:
        if row["kind"] == "call" and known.account in ("*", row["account"]):
            key = (row["action"], row["region"], row["account"], int(row["arrived"]))
            seen[key].append(row["seq"])
    for (action, _, account, _), rows in seen.items():
        if len(rows) > known.per_second:
            yield f"{account} called {action} {len(rows)} times in a second", tuple(rows)


def drained_before_removal(journal: Sequence[Entry], known: Facts) -> Found:
    """A target that serves is at weight 0 for `grace_s` before it is unbound."""
    zero_since: dict[Key, float] = {}
    for row in _changes(journal):
        key = _key(row)
        if row["what"] in ("bound", "weight"):
            if row["weight"] == 0:
                zero_since.setdefault(key, row["t"])
            else:
                zero_since.pop(key, None)
        elif row["what"] == "unbound":
            since = zero_since.pop(key, None)
            gone = known.gone.get(row["tag"], row["t"]) < row["t"]
            if not _judged(row, known) or row["health"] not in SERVING or gone:
                continue
            waited = row["t"] - since if since is not None else None
            if waited is None or waited < known.grace_s:
                how = "with weight" if waited is None else f"after {waited:g} s at weight 0"
                yield f"{_name(row)} was removed {how} while it served", (row["seq"],)


def enough_stay_available(journal: Sequence[Entry], known: Facts) -> Found:
    """Once a listener has `min_available` serving targets, it never has fewer.

    Serving: Alive or Close, with a weight. The entries of one moment count together.
    """
    rows: dict[Key, tuple[str, int]] = {}
    reached: set[str] = set()
    low: set[str] = set()
    for at, row in enumerate(journal):
        if row["kind"] not in ("change", "health") or "ip" not in row:
            continue
        _follow(rows, row)
        if at + 1 < len(journal) and journal[at + 1]["t"] == row["t"]:
            continue
        counts = _serving(rows)
        for listener, least in known.min_available.items():
            enough = counts[listener] >= least
            if enough:
                reached.add(listener)
                low.discard(listener)
            elif listener in reached and listener not in low:
                low.add(listener)
                yield f"{listener} has {counts[listener]} of {least} serving", (row["seq"],)


def _follow(rows: dict[Key, tuple[str, int]], row: Entry) -> None:
    key = _key(row)
    if row["kind"] == "health":
        rows[key] = (row["health"], rows.get(key, ("", 10))[1])
    elif row["what"] == "unbound":
        rows.pop(key, None)
    else:
        rows[key] = (row["health"], row["weight"])


def _serving(rows: Mapping[Key, tuple[str, int]]) -> Counter[str]:
    return Counter(
        key[1] for key, (health, weight) in rows.items() if health in SERVING and weight > 0
    )


def foreign_instances_are_left_alone(journal: Sequence[Entry], known: Facts) -> Found:
    """Nobody deletes a load balancer, listener or rule that somebody else created."""
    created: dict[tuple[Any, ...], Entry] = {}
    for row in _changes(journal, targets=False):
        what, _, verb = row["what"].partition("-")
        thing = (what, row["lb"], row.get("listener"), row.get("location"))
        if verb == "created":
            created[thing] = row
        elif verb == "deleted" and _judged(row, known):
            owner = created.get(thing)
            if owner is None or owner["by"] != row["by"]:
                whose = owner["by"] if owner else "somebody unknown"
                entries = (*([owner["seq"]] if owner else []), row["seq"])
                where = row.get("listener", row["lb"])
                yield f"{row['by']} deleted the {what} {where} of {whose}", entries


INVARIANTS: Mapping[str, Callable[[Sequence[Entry], Facts], Found]] = {
    "gone-pods-are-unbound": gone_pods_are_unbound,
    "foreign-targets-are-left-alone": foreign_targets_are_left_alone,
    "no-write-under-a-lock": no_write_under_a_lock,
    "rates-are-kept": rates_are_kept,
    "drained-before-removal": drained_before_removal,
    "enough-stay-available": enough_stay_available,
    "foreign-instances-are-left-alone": foreign_instances_are_left_alone,
}


def _changes(journal: Iterable[Entry], *, targets: bool = True) -> Iterator[Entry]:
    return (row for row in journal if row["kind"] == "change" and ("ip" in row) is targets)


def _judged(row: Entry, known: Facts) -> bool:
    if known.account == "*":
        return row["by"] not in ("seed", "somebody-else")
    return bool(row["by"] == known.account)


def _key(row: Entry) -> Key:
    return (row["lb"], row["listener"], row["location"], row["ip"], row["port"])


def _name(row: Entry) -> str:
    return f"{row['ip']}:{row['port']} of {row['listener']}"
