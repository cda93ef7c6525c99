"""What takes long does not hold up who waits for it: they are told twice a second."""

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

_READY = 2  # how many items may lie ready: pieces of a download are large


def read_in_background(
    source: Generator[T, None, None], waiting: Callable[[], None]
) -> Generator[T, None, None]:
    """What ``source`` gives, in its order; ``waiting`` is called twice a second while it is slow.

    ``source`` runs in a daemon thread, a few items ahead; its error is raised here. When this
    generator is closed, ``source`` is closed too, as soon as it gives its next item.
    """
    reader = _Reader(source)
    try:
        while True:
            try:
                given = reader.given.get(timeout=TICK_S)
            except queue.Empty:
                waiting()
                continue
            if isinstance(given, _End):
                if given.error is not None:
                    raise given.error
                return
            yield given
    finally:
        reader.close()


def sleep_with_heartbeat(
    sleep: Callable[[float], None], waiting: Callable[[], None]
) -> Callable[[float], None]:
    """A ``sleep`` that calls ``waiting`` twice a second."""

    def pause(seconds: float) -> None:
        end = time.monotonic() + seconds
        while (rest := end - time.monotonic()) > TICK_S:
            sleep(TICK_S)
            waiting()
        sleep(max(0.0, rest))

    return pause


class _End:
    """Stands behind the last item: nothing more comes, perhaps because of an error."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class _Reader(Generic[T]):
    """The thread that reads, and what it has read."""

    def __init__(self, source: Generator[T, None, None]) -> None:
        self._source = source
        self._is_closed = False
        # No SimpleQueue: before Python 3.13 its `get` can forget its time-out when a signal comes.
        self.given: queue.Queue[T | _End] = queue.Queue(_READY)
        threading.Thread(target=self._read, name="download", daemon=True).start()

    def close(self) -> None:
        """Nobody takes any more; the thread finds room for what it still gives."""
        self._is_closed = True
        with contextlib.suppress(queue.Empty):
            while True:
                self.given.get_nowait()

    def _read(self) -> None:
        error = None
        try:
            for item in self._source:
                self.given.put(item)
                if self._is_closed:
                    break
            self._source.close()
        except BaseException as caught:  # noqa: BLE001  (raised again where it is waited for)
            error = caught
        self.given.put(_End(error))
