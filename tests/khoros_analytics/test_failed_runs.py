"""A failed run leaves no threads behind, which would send further requests."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from sandbox.faults import Fault
from singer_sdk.exceptions import ConfigValidationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.khoros_analytics.site import Site


def discovery(site: Site) -> None:
    _ = site.tap().catalog_dict


def sync(site: Site) -> None:
    site.sync("conversation", "combined")


def fetching() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name.startswith("fetch-")]


@pytest.mark.parametrize(
    ("run", "first", "second"),
    [(discovery, "conversation", "combined"), (sync, "combined", "conversation")],
)
def test_no_thread_survives_a_failed_run(
    site: Site,
    run: Callable[[Site], None],
    first: str,
    second: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first export in plan order fails; the others wait a minute for their retry."""
    monkeypatch.setattr("tap_kit.net.retries.FIRST_PAUSE_S", 60)
    site.api.faults += [
        Fault("status", status=401, path=rf"report/{first}\b"),
        Fault("reset", path=rf"care-analytics-exports/|report/{second}\b"),
    ]
    others = {*fetching()}
    with pytest.raises(ConfigValidationError, match="401"):
        run(site)
    deadline = time.monotonic() + 20
    for thread in {*fetching()} - others:
        thread.join(deadline - time.monotonic())
        assert not thread.is_alive()
