"""What is asked or done once in a run, whichever of its threads needs it first."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")


class Once(Generic[T]):
    """Results by key: the first one who asks makes it, the others wait for it.

    A result that could not be made is not kept, so that the next one tries again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[Hashable, threading.Lock] = {}
        self._made: dict[Hashable, T] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` gave for ``key``; it is called by the first one who asks."""
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._made:
                self._made[key] = make()
            return self._made[key]

    def forget(self, key: Hashable, made: T) -> None:
        """Have it made anew, unless somebody else did so since ``made``."""
        with self._lock:
            if self._made.get(key) is made:
                del self._made[key]
