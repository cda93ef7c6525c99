"""All kinds of faults in one run, so that a tap is not run once for each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

MOST_REQUESTS = 2000  # no run of these tests sends as many
IN_TIME = "in time"  # in the name of a fault that needs no retry


def spread(kinds: Mapping[str, Mapping[str, Any]], requests: int) -> list[Fault]:
    """Return one fault of each kind for a run of ``requests``; with retries it has more of them."""
    step = (requests - 1) / (len(kinds) - 1)
    assert step >= 1.5, "a request and its retries could all fail"
    places = (1 + round(number * step) for number in range(len(kinds)))
    return [
        Fault(**kind, only=frozenset({place}))
        for kind, place in zip(kinds.values(), places, strict=True)
    ]


def in_turn(kinds: Mapping[str, Mapping[str, Any]]) -> list[Fault]:
    """Return a fault for every second request, of each kind in turn.

    If a run sends one request at a time, they hit each first attempt.
    """
    return [
        Fault(**kind, only=frozenset(range(1 + 2 * number, MOST_REQUESTS, 2 * len(kinds))))
        for number, kind in enumerate(kinds.values())
    ]


def retries(kinds: Mapping[str, Mapping[str, Any]]) -> int:
    """Return how many requests one fault of each kind adds."""
    return sum(IN_TIME not in name for name in kinds)


def retried(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the log lines about retries."""
    return [text for text in caplog.messages if " of 5 in " in text]
