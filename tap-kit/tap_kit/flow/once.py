"""Make a value once in a run, whichever of its threads needs it first."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")


class Once(Generic[T]):
    """Values by key: the first thread that needs one makes it, the others wait for it.

    A value whose making failed is not kept, so that the next thread tries again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[Hashable, threading.Lock] = {}
        self._made: dict[Hashable, T] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the value of ``key``; call ``make`` for it if there is none yet."""
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._made:
                self._made[key] = make()
            return self._made[key]

    def forget(self, key: Hashable, made: T) -> None:
        """Have the value made again, unless another thread did so since ``made``."""
        with self._lock:
            if self._made.get(key) is made:
                del self._made[key]
