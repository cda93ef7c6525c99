"""When Python looks for garbage: seldom, while rows go through by the million."""

from __future__ import annotations

import contextlib
import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_OBJECTS = 50_000  # new ones before the next look; Python's own 700 are two batches of a few rows


@contextlib.contextmanager
def rare_collections() -> Iterator[None]:
    """Inside, the garbage collector looks seldom, and never at what was there before.

    Rows are freed when they are written, by their count of references: they are in no cycle. To
    look through all lists of a batch again and again took a fifth of the time of a CSV export.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
