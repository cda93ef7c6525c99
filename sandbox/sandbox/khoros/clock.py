"""The sandbox's clock: the real one, or one that stands still until it is moved."""

import time
from datetime import datetime, timedelta, timezone


class Clock:
    """Two hands: ``now`` for the data, ``seconds`` for the age of jobs and links.

    A clock that was given a time stands still for the data; jobs grow older on it all the same.
    ``advance`` moves both hands.
    """

    def __init__(self, now: datetime | None = None) -> None:
        """Stand still at ``now`` (UTC unless it says otherwise); None follows the real time."""
        self._now = None if now is None else _aware(now)
        self._ahead = 0.0

    @property
    def now(self) -> datetime:
        """The UTC time by this clock."""
        return (self._now or datetime.now(timezone.utc)) + timedelta(seconds=self._ahead)

    @property
    def now_ms(self) -> int:
        """The same in epoch milliseconds."""
        return milliseconds(self.now)

    @property
    def seconds(self) -> float:
        """Seconds from an arbitrary moment, never going back."""
        return time.monotonic() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let this much time go by at once."""
        self._ahead += seconds


def milliseconds(moment: datetime) -> int:
    """Give epoch milliseconds; a time without a zone is taken to be UTC."""
    return int(_aware(moment).timestamp() * 1000)


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment
