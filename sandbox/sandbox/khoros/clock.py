"""The tenant's clock: the real time, or a time that tests set and advance."""

import time
from datetime import datetime, timedelta, timezone

from sandbox.clock import utc


class Clock:
    """The time of the data is ``now``; the age of jobs and links is measured in ``seconds``.

    A clock that starts with a time stands still for the data, but jobs and links still grow
    older. ``advance`` changes both.
    """

    def __init__(self, now: datetime | None = None) -> None:
        """Stop at ``now``, which is UTC if it has no zone; None follows the real time."""
        self._now = None if now is None else utc(now)
        self._ahead = 0.0

    @property
    def now(self) -> datetime:
        """The UTC time by this clock."""
        return (self._now or datetime.now(timezone.utc)) + timedelta(seconds=self._ahead)

    @property
    def now_ms(self) -> int:
        """The UTC time by this clock in epoch milliseconds."""
        return milliseconds(self.now)

    @property
    def seconds(self) -> float:
        """Seconds since an arbitrary moment, never decreasing."""
        return time.monotonic() + self._ahead

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._ahead += seconds


def milliseconds(moment: datetime) -> int:
    """Return epoch milliseconds; a time without a zone is taken as UTC."""
    return int(utc(moment).timestamp() * 1000)
