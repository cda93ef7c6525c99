"""Show the progress of a run: its plan, a bar or a line every ten seconds, and a summary."""

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
MIN_ESTIMATE_S = 5.0  # before that, the remaining time cannot be estimated
MIN_WAIT_SHOWN_S = 3.0  # shorter waits are shown without their duration


class Progress:
    """The counts of tasks and rows, and their display.

    On a terminal it draws a bar on stderr. Elsewhere (Meltano, a file) it logs a line when the last
    one is ``INTERVAL_S`` old. Only the main thread uses it.
    """

    def __init__(self, logger: logging.Logger, unit: str = TASK, goal: str = "Plan") -> None:
        self._logger = logger
        self._unit = unit
        self._goal = goal
        self.tasks = self.done = 0
        self._rows: Counter[str] = Counter()
        self._rows_again = 0
        self._began = self._shown_at = time.monotonic()
        self._activity = "reading"
        self._waited_for, self._waiting_since = "", self._began
        self._bar: _Bar | None = None
        self.warnings = _Warnings()

    def __enter__(self) -> Self:
        logging.getLogger().addHandler(self.warnings)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        logging.getLogger().removeHandler(self.warnings)

    def set_plan(self, tasks: Mapping[str, int], /, *, concurrency: int) -> None:
        """Set the number of tasks of each stream, of which ``concurrency`` run at a time."""
        self.close()
        total = sum(tasks.values())
        self.tasks = self.done + total
        parts = _format_counts(tasks) if self._unit == TASK else ""
        counted = _format_count(total, self._unit)
        self._logger.info("%s: %s, at most %d at a time%s", self._goal, counted, concurrency, parts)
        if total and sys.stderr.isatty():
            self._bar = _Bar(total, self._unit)

    def add_rows(self, count: int, stream: str) -> None:
        """Count ``count`` more written rows of ``stream``."""
        self._rows[stream] += count
        self._waited_for = ""  # the wait is over; the next one is measured separately
        self._activity = f"reading {stream}"
        self._show(self._activity)

    def add_rows_again(self, count: int) -> None:
        """Count ``count`` written rows of a window that an earlier run has read."""
        self._rows_again += count

    def task_done(self, count: int = 1, /) -> None:
        """Count tasks as done, also those that will never start."""
        self.done += count
        if self._bar is not None:
            self._bar.advance(count)
        self._show(self._activity)

    def show_waiting(self, what: object) -> None:
        """Show that the main thread waits for ``what``."""
        text, now = str(what), time.monotonic()
        if text != self._waited_for:
            self._waited_for, self._waiting_since = text, now
        waited_s = now - self._waiting_since
        duration = f" (for {_format_duration(waited_s)})" if waited_s >= MIN_WAIT_SHOWN_S else ""
        self._show(f"waiting for {text}{duration}")

    def log_summary(self, outcome: str, requests: int) -> None:
        """Log how the run ended: its rows by stream, its requests and warnings."""
        self.close()
        self._logger.info(
            "%s after %s: %s%s%s, %s, %s",
            outcome,
            _format_duration(time.monotonic() - self._began),
            _format_count(self._rows.total(), "row"),
            _format_counts(self._rows),
            f", {self._rows_again:,} of them read again" if self._rows_again else "",
            _format_count(requests, "request"),
            _format_count(self.warnings.count, "warning"),
        )

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _show(self, activity: str) -> None:
        now = time.monotonic()
        if self._bar is not None:
            # tqdm redraws only when a task is done, which can take minutes.
            redraw = now - self._shown_at >= REDRAW_S
            self._shown_at = now if redraw else self._shown_at
            self._bar.set_text(", ".join([*self._rows_so_far(now), activity]), redraw=redraw)
        elif now - self._shown_at >= INTERVAL_S:
            self._shown_at = now
            done = f"{self.done:,} of {_format_count(self.tasks, self._unit)} done"
            parts = [done, *self._rows_so_far(now), *self._time_left(now), activity]
            self._logger.info("%s", ", ".join(parts))

    def _rows_so_far(self, now: float) -> Iterator[str]:
        if self._unit == TASK:
            rows, took_s = self._rows.total(), now - self._began
            yield f"{rows:,} rows"
            if self._bar is None:
                yield f"{rows / took_s:,.0f} rows/s"

    def _time_left(self, now: float) -> Iterator[str]:
        """Yield an estimate of the remaining time, if enough is done to estimate it."""
        took_s, left = now - self._began, self.tasks - self.done
        if self.done and left and took_s >= MIN_ESTIMATE_S:
            yield f"about {_format_duration(took_s * left / self.done)} left"


class _Bar:
    """A bar on the terminal. Log lines appear above it."""

    def __init__(self, total: int, unit: str) -> None:
        # Imported here: most runs have no terminal, and start faster without it.
        from tqdm import tqdm  # noqa: PLC0415
        from tqdm.contrib.logging import logging_redirect_tqdm  # noqa: PLC0415

        self._tqdm: tqdm[Never] = tqdm(
            total=total, unit=unit, file=sys.stderr, leave=False, dynamic_ncols=True
        )
        self._restore = contextlib.ExitStack()
        self._restore.enter_context(logging_redirect_tqdm())
        metrics = logging.getLogger("singer_sdk.metrics")
        metrics.addFilter(_discard)  # JSON for machines, which would scroll readable lines away
        self._restore.callback(metrics.removeFilter, _discard)

    def advance(self, count: int) -> None:
        self._tqdm.update(count)

    def set_text(self, text: str, *, redraw: bool) -> None:
        self._tqdm.set_postfix_str(text, refresh=redraw)

    def close(self) -> None:
        self._tqdm.close()
        self._restore.close()


class _Warnings(logging.Handler):
    """A handler that counts the warnings and errors of the run."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1


def _discard(_record: logging.LogRecord) -> bool:
    return False


def _format_counts(counts: Mapping[str, int]) -> str:
    return (
        f" ({', '.join(f'{name} {count:,}' for name, count in counts.items())})" if counts else ""
    )


def _format_count(count: int, unit: str) -> str:
    return f"{count:,} {unit}" if count == 1 else f"{count:,} {unit}s"


def _format_duration(seconds: float) -> str:
    """Return a duration such as ``8 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"
