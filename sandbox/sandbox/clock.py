"""The clock of an account: the real time, or a time that a test sets."""

from datetime import datetime, timezone


class Clocked:
    """Something that depends on the time, which is ``now``.

    Set it to stop the clock at a time; None, the default, follows the real UTC time. With
    ``whole_minutes`` that has no seconds, so that responses can be cached for a minute.
    """

    def __init__(self, now: datetime | None, *, whole_minutes: bool = False) -> None:
        self.now = now
        self._whole_minutes = whole_minutes

    @property
    def now(self) -> datetime:
        """The UTC time by this clock."""
        if self._now is not None:
            return self._now
        real = datetime.now(timezone.utc)
        return real.replace(second=0, microsecond=0) if self._whole_minutes else real

    @now.setter
    def now(self, now: datetime | None) -> None:
        self._now = None if now is None else utc(now)


def utc(moment: datetime) -> datetime:
    """Return a time in UTC; a time without a zone is taken as UTC."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=timezone.utc)
    return moment.astimezone(timezone.utc)
