"""A run closes its connections to the vendor, since a process may do many runs."""

from __future__ import annotations

import gc
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from sandbox.faults import Fault

from tests.every_tap import TAPS, EveryTap

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet


def connected_to(ports: AbstractSet[int | None]) -> list[socket.socket]:
    """Return the open sockets of this process that are connected to one of these ports."""
    return [one for one in gc.get_objects() if isinstance(one, socket.socket) and is_to(one, ports)]


def is_to(one: socket.socket, ports: AbstractSet[int | None]) -> bool:
    try:
        return one.getpeername()[1] in ports
    except (OSError, IndexError):  # closed, listening, or no internet socket
        return False


# The second fails the first request, so that a traceback refers to the connection.
FAULTS = {"a whole run": [], "a run that fails": [Fault("status", status=400)]}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_no_connection_outlives_its_run(tap: EveryTap, faults: list[Fault]) -> None:
    with tap.serving() as account:
        addresses = [urlsplit(str(account.settings.get(name, ""))) for name in tap.addresses]
        ports = {address.port for address in addresses} - {None}
        account.faults[:] = faults
        ended = tap.run(account.settings, catalog=account.catalog)
        assert ended.code == bool(faults), ended.stderr
        assert ports
        assert connected_to(ports) == []
