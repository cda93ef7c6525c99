"""Make a value once per run, in the first thread that needs it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")


class Once(Generic[T]):
    """Values by key: the first thread that needs one makes it; the others wait for it.

    If making a value fails, the next thread tries again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[Hashable, threading.Lock] = {}
        self._values: dict[Hashable, T] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the value of ``key``; call ``make`` if there is none yet."""
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._values:
                self._values[key] = make()
            return self._values[key]

    def forget(self, key: Hashable, value: T) -> None:
        """Forget the value of ``key``, unless another thread has replaced ``value`` already."""
        with self._lock:
            if self._values.get(key) is value:
                del self._values[key]
