"""What a connection and a server say, in numbers and words."""

from __future__ import annotations

import socket
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest
from tap_kit.errors import SyncFailed
from tap_kit.net.http import Request
from tap_kit.net.wire import retry_after_s

from tests.kit.apis import client
from tests.kit.net.test_http_retries import Pauses

if TYPE_CHECKING:
    from typing_extensions import Never


def test_host_that_cannot_be_resolved_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_more: object) -> Never:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    pauses = Pauses()
    with (
        client("https://api.example", throttle=pauses) as api,
        pytest.raises(SyncFailed) as caught,
    ):
        api.send(Request("/list", {"key": "s3cret"}), list)
    assert str(caught.value) == (
        "GET /list: the host of https://api.example cannot be resolved; failed after 5 tries"
    )
    assert pauses.taken == [1, 2, 4, 8]


@pytest.mark.parametrize("ahead_s", [0.25, 0.75, 90.5])
def test_retry_after_date_becomes_exact_seconds(
    ahead_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = 1_700_000_000
    monkeypatch.setattr(time, "time", lambda: moment - ahead_s)
    assert retry_after_s(formatdate(moment, usegmt=True)) == ahead_s
