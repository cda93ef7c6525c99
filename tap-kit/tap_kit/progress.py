"""What a person sees of a long run: a line every ten seconds, or a bar on a terminal."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

    from tqdm import tqdm
    from typing_extensions import Never

INTERVAL_S = 10.0
REDRAW_S = 0.2


class Progress:
    """Counts tasks and rows, and tells of them.

    On a terminal it draws a bar on stderr; elsewhere (Meltano, a file) it logs a line when the
    last one is ``INTERVAL_S`` old. It is told of everything by the main thread only.
    """

    def __init__(self, logger: logging.Logger, tasks: int) -> None:
        self._logger = logger
        self._tasks = tasks
        self._done = 0
        self._rows = 0
        self._began = self._told = time.monotonic()
        self._bar = _bar(tasks) if sys.stderr.isatty() else None

    def rows(self, count: int) -> None:
        """``count`` more rows were written."""
        self._rows += count
        self._tell("reading")

    def task_done(self) -> None:
        """One more task is done."""
        self._done += 1
        if self._bar is not None:
            self._bar.update()
        self._tell("reading")

    def waiting(self, what: object) -> None:
        """Nothing to write at the moment: ``what`` is being waited for."""
        self._tell(f"waiting for {what}")

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()

    def _tell(self, doing: str) -> None:
        now = time.monotonic()
        if self._bar is not None:
            # tqdm draws with a task's end only, which may be minutes away.
            redraw = now - self._told >= REDRAW_S
            self._told = now if redraw else self._told
            self._bar.set_postfix_str(f"{self._rows:,} rows, {doing}", refresh=redraw)
            return
        if now - self._told < INTERVAL_S:
            return
        self._told = now
        rate = self._rows / (now - self._began)
        self._logger.info(
            "%d of %d tasks done, %s rows, %s rows/s, %s",
            self._done,
            self._tasks,
            f"{self._rows:,}",
            f"{rate:,.0f}",
            doing,
        )


def _bar(tasks: int) -> tqdm[Never]:
    from tqdm import tqdm  # noqa: PLC0415  (most runs have no terminal, and start sooner so)

    bar: tqdm[Never] = tqdm(
        total=tasks, unit="task", file=sys.stderr, leave=False, dynamic_ncols=True
    )
    return bar
