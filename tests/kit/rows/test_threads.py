"""Types of rows are complete before several threads use them: else msgspec crashes the process."""

from __future__ import annotations

import threading
import time
from typing import Any
from unittest.mock import patch

import msgspec
from tap_kit.rows.types import prepared, row_type

from tests.kit.canned import WHOLE


class Decoders:
    """Takes the place of ``msgspec.json.Decoder``; records what is made, and by how many."""

    def __init__(self) -> None:
        self.made: list[Any] = []
        self.most = self._now = 0

    def __call__(self, kind: Any) -> None:
        """Make a decoder slowly."""
        self._now += 1
        self.most = max(self.most, self._now)
        time.sleep(0.02)
        self._now -= 1
        self.made.append(kind)


def test_type_of_a_row_is_complete() -> None:
    decoders = Decoders()
    with patch("tap_kit.rows.types.msgspec.json.Decoder", decoders):
        kind = row_type("Row", {"properties": {"id": WHOLE}}, ["id"])
    assert decoders.made == [kind]


def test_one_thread_at_a_time_completes_a_type() -> None:
    class Shared(msgspec.Struct):
        id: int

    decoders = Decoders()
    with patch("tap_kit.rows.types.msgspec.json.Decoder", decoders):
        threads = [threading.Thread(target=prepared, args=(list[Shared],)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert decoders.made == [list[Shared]] * 3
    assert decoders.most == 1


def test_prepared_type_is_returned() -> None:
    assert prepared(dict[str, int]) == dict[str, int]
