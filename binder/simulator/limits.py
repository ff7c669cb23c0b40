"""How often an action may be called: counted per second of arrival.

The gateway counts by action, region and sub-account, 20 calls a second unless told otherwise (the
CLB API pages say so each), and on top by main account and by source address.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from binder.simulator.errors import ApiError
from binder.simulator.switches import Switches


@dataclass
class Windows:
    """Counts of the second that runs."""

    switches: Switches
    _second: int = -1
    _counts: dict[tuple[str, ...], int] = field(default_factory=dict)

    def take(
        self,
        action: str,
        region: str,
        account: str,
        uin: str,
        peer: str,
        *,
        now: float,
        limit: int | None = None,
    ) -> None:
        """Count one call, RequestLimitExceeded where it is one too many.

        `limit` is that of the action, where it is not what the switch says.
        """
        usual = self.switches.requests_per_second if limit is None else limit
        if int(now) != self._second:
            self._second, self._counts = int(now), {}
        for suffix, key, most in (
            ("", ("action", action, region, account), usual),
            (".UinLimitExceeded", ("uin", uin), self.switches.requests_per_second_and_account),
            (".IPLimitExceeded", ("ip", peer), self.switches.requests_per_second_and_ip),
        ):
            count = self._counts[key] = self._counts.get(key, 0) + 1
            if most and count > most:
                raise ApiError(f"RequestLimitExceeded{suffix}", count=count, limit=most)
