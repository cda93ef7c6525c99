"""Read a slow source in a thread, with a heartbeat for the consumer."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

from tap_kit.flow.pipeline import TICK_S

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

T = TypeVar("T")

_MAX_READY = 2  # items to buffer: batches of a download are large


def read_in_background(
    source: Generator[T, None, None], heartbeat: Callable[[], None]
) -> Generator[T, None, None]:
    """Yield the items of ``source``; call ``heartbeat`` twice a second while it is slow.

    ``source`` runs in a daemon thread, a few items ahead. Its error is raised here. When this
    generator is closed, ``source`` is closed after its next item. If no thread can be started,
    ``source`` runs here, and the heartbeat comes between its items only.
    """
    try:
        reader = _Reader(source)
    except RuntimeError:
        for own in source:
            yield own
            heartbeat()
        return
    try:
        while True:
            try:
                item = reader.items.get(timeout=TICK_S)
            except queue.Empty:
                heartbeat()
                continue
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        reader.close()


def sleep_with_heartbeat(
    sleep: Callable[[float], None], heartbeat: Callable[[], None]
) -> Callable[[float], None]:
    """Return a ``sleep`` that calls ``heartbeat`` twice a second."""

    def pause(seconds: float) -> None:
        end = time.monotonic() + seconds
        while (rest := end - time.monotonic()) > TICK_S:
            sleep(TICK_S)
            heartbeat()
        sleep(max(0.0, rest))

    return pause


class _End:
    """The end of the items, with the error that caused it if there is one."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class _Reader(Generic[T]):
    """The thread that reads, and what it has read."""

    def __init__(self, source: Generator[T, None, None]) -> None:
        self._source = source
        self._is_closed = False
        # Not a SimpleQueue: before Python 3.13 a signal can make its `get` ignore the timeout.
        self.items: queue.Queue[T | _End] = queue.Queue(_MAX_READY)
        threading.Thread(target=self._read, name="download", daemon=True).start()

    def close(self) -> None:
        """Stop reading; empty the queue, so that the thread does not block on its next item."""
        self._is_closed = True
        with contextlib.suppress(queue.Empty):
            while True:
                self.items.get_nowait()

    def _read(self) -> None:
        error = None
        try:
            for item in self._source:
                self.items.put(item)
                if self._is_closed:
                    break
            self._source.close()
        except BaseException as caught:  # noqa: BLE001  (raised again in the consumer)
            error = caught
        self.items.put(_End(error))
