"""How often we write, whoever else writes the same fields. Pure, with a given clock."""

from __future__ import annotations

REFILL = 1.0  # seconds for one more


class Brake:
    """A token bucket: `most` writes at once, then one per REFILL."""

    def __init__(self, most: int) -> None:
        self._most, self._left, self._then = most, float(most), 0.0

    def wait(self, now: float) -> float:
        """Seconds until a write is allowed; 0.0: now, and it is counted."""
        self._left = min(self._most, self._left + (now - self._then) / REFILL)
        self._then = now
        if self._left < 1:
            return (1 - self._left) * REFILL
        self._left -= 1
        return 0.0
