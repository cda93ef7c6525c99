"""What a person sees of a run: its plan, a line every ten seconds or a bar, and its end."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from typing_extensions import Self, override

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tqdm import tqdm
    from typing_extensions import Never

INTERVAL_S = 10.0
REDRAW_S = 0.2
TASK = "task"
SURE_S = 5.0  # before that, what is left cannot be told from what is done
WORTH_TELLING_S = 3.0  # how long something has to be waited for


class Progress:
    """Counts tasks and rows, and tells of them.

    On a terminal it draws a bar on stderr; elsewhere (Meltano, a file) it logs a line when the
    last one is ``INTERVAL_S`` old. It is told of everything by the main thread only.
    """

    def __init__(self, logger: logging.Logger, unit: str = TASK, goal: str = "Plan") -> None:
        self._logger = logger
        self._unit = unit
        self._goal = goal
        self.tasks = self.done = 0
        self._rows: Counter[str] = Counter()
        self._began = self._told = time.monotonic()
        self._doing = "reading"
        self._waited_for, self._waits_since = "", self._began
        self._bar: _Bar | None = None
        self.warnings = _Warnings()

    def __enter__(self) -> Self:
        logging.getLogger().addHandler(self.warnings)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        logging.getLogger().removeHandler(self.warnings)

    def planned(self, tasks: Mapping[str, int], /, *, concurrency: int) -> None:
        """So many tasks are to be done of each stream, ``concurrency`` at a time."""
        self.close()
        total = sum(tasks.values())
        self.tasks = self.done + total
        parts = _listed(tasks) if self._unit == TASK else ""
        counted = _counted(total, self._unit)
        self._logger.info("%s: %s, at most %d at a time%s", self._goal, counted, concurrency, parts)
        if total and sys.stderr.isatty():
            self._bar = _Bar(total, self._unit)

    def rows(self, count: int, stream: str) -> None:
        """``count`` more rows of ``stream`` were written."""
        self._rows[stream] += count
        self._waited_for = ""  # it has come; the next wait is another one
        self._doing = f"reading {stream}"
        self._tell(self._doing)

    def task_done(self, count: int = 1, /) -> None:
        """One more task is done; or several, since they will never be begun."""
        self.done += count
        if self._bar is not None:
            self._bar.advance(count)
        self._tell(self._doing)

    def waiting(self, what: object) -> None:
        """Nothing to write at the moment: ``what`` is being waited for."""
        text, now = str(what), time.monotonic()
        if text != self._waited_for:
            self._waited_for, self._waits_since = text, now
        waited_s = now - self._waits_since
        since = f" (for {_duration(waited_s)})" if waited_s >= WORTH_TELLING_S else ""
        self._tell(f"waiting for {text}{since}")

    def summary(self, how: str, requests: int) -> None:
        """Log how the run ended: what it brought, stream by stream, and what it took."""
        self.close()
        self._logger.info(
            "%s after %s: %s%s, %s, %s",
            how,
            _duration(time.monotonic() - self._began),
            _counted(self._rows.total(), "row"),
            _listed(self._rows),
            _counted(requests, "request"),
            _counted(self.warnings.count, "warning"),
        )

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _tell(self, doing: str) -> None:
        now = time.monotonic()
        if self._bar is not None:
            # tqdm draws with a task's end only, which may be minutes away.
            redraw = now - self._told >= REDRAW_S
            self._told = now if redraw else self._told
            self._bar.say(", ".join([*self._rows_so_far(now), doing]), redraw=redraw)
        elif now - self._told >= INTERVAL_S:
            self._told = now
            done = f"{self.done:,} of {_counted(self.tasks, self._unit)} done"
            parts = [done, *self._rows_so_far(now), *self._time_left(now), doing]
            self._logger.info("%s", ", ".join(parts))

    def _rows_so_far(self, now: float) -> Iterator[str]:
        if self._unit == TASK:
            rows, took_s = self._rows.total(), now - self._began
            yield f"{rows:,} rows"
            if self._bar is None:
                yield f"{rows / took_s:,.0f} rows/s"

    def _time_left(self, now: float) -> Iterator[str]:
        """A guess, from what is done; none before there is something to guess from."""
        took_s, left = now - self._began, self.tasks - self.done
        if self.done and left and took_s >= SURE_S:
            yield f"about {_duration(took_s * left / self.done)} left"


class _Bar:
    """A bar on the terminal; log lines are written above it instead of into it."""

    def __init__(self, total: int, unit: str) -> None:
        # Here, since most runs have no terminal, and start sooner so.
        from tqdm import tqdm  # noqa: PLC0415
        from tqdm.contrib.logging import logging_redirect_tqdm  # noqa: PLC0415

        self._tqdm: tqdm[Never] = tqdm(
            total=total, unit=unit, file=sys.stderr, leave=False, dynamic_ncols=True
        )
        self._aside = contextlib.ExitStack()
        self._aside.enter_context(logging_redirect_tqdm())
        metrics = logging.getLogger("singer_sdk.metrics")
        metrics.addFilter(_nobody)  # JSON for machines: it would push the lines for people away
        self._aside.callback(metrics.removeFilter, _nobody)

    def advance(self, count: int) -> None:
        self._tqdm.update(count)

    def say(self, text: str, *, redraw: bool) -> None:
        self._tqdm.set_postfix_str(text, refresh=redraw)

    def close(self) -> None:
        self._tqdm.close()
        self._aside.close()


class _Warnings(logging.Handler):
    """Counts what was warned of during the run, or worse."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1


def _nobody(_record: logging.LogRecord) -> bool:
    return False


def _listed(counts: Mapping[str, int]) -> str:
    return (
        f" ({', '.join(f'{name} {count:,}' for name, count in counts.items())})" if counts else ""
    )


def _counted(count: int, unit: str) -> str:
    return f"{count:,} {unit}" if count == 1 else f"{count:,} {unit}s"


def _duration(seconds: float) -> str:
    """Such as ``8 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"
