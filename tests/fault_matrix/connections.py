"""Connections that cannot be made: a name that nobody knows, and TLS that fails; for real."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import urlsplit

from tests.fault_matrix.cells import must_be_whole, must_stop_well
from tests.tls import fronting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.every_tap import Account, EveryTap
    from tests.fault_matrix.cells import Undisturbed
    from tests.tls import Certificate

STORAGE = "the storage of downloads"
UNKNOWN = "https://nowhere.invalid"  # RFC 2606: no such name will ever be


@dataclass(frozen=True)
class Trouble:
    """One way in which no connection is made: how, whether it passes, what the tap says."""

    name: str
    words: tuple[str, ...] = ()
    failures: int = 0  # how many connections fail before one is made; 0: all

    @property
    def passes(self) -> bool:
        """Whether a later try succeeds."""
        return self.failures > 0


UNKNOWN_HOST = Trouble("unknown host", ("cannot be resolved",))
NO_TLS = Trouble("https to an http server", ("no secure connection to",))
UNTRUSTED = Trouble("untrusted certificate", ("certificate cannot be verified",))
TROUBLES = (
    UNKNOWN_HOST,
    Trouble("name server silent for a moment", failures=2),
    NO_TLS,
    UNTRUSTED,
    Trouble("handshake breaks off once", failures=1),
    Trouble("handshake breaks off twice", failures=2),
)


def addresses(tap: EveryTap, account: Account) -> list[str]:
    """Where connections of a tap lead: what its settings name, and what answers point to."""
    return [*tap.addresses, *([STORAGE] if hasattr(account.api, "storage_url") else [])]


def outcome(
    tap: EveryTap,
    account: Account,
    whole: Undisturbed,
    trouble: Trouble,
    address: str,
    certificate: Certificate,
) -> str:
    """How a run ended whose connections to one address are in trouble.

    Raises:
        WrongEndError: when it ended neither whole nor well.
    """
    with _in_trouble(account, trouble, address, certificate) as settings:
        ended = tap.run({**account.settings, **settings}, catalog=account.catalog)
    if trouble.passes:
        must_be_whole(tap, whole, ended)
        return "complete"
    return must_stop_well(tap, account, whole, trouble.words, ended)


@contextmanager
def _in_trouble(
    account: Account, trouble: Trouble, address: str, certificate: Certificate
) -> Iterator[dict[str, str]]:
    """Within it the address is in trouble; the settings that make it so."""
    before = account.api.storage_url if address == STORAGE else account.settings[address]
    with ExitStack() as stack:
        url = stack.enter_context(_address(before, trouble, certificate))
        if address != STORAGE:
            yield {address: url}
            return
        account.api.storage_url = url
        stack.callback(setattr, account.api, "storage_url", before)
        yield {}


@contextmanager
def _address(url: str, trouble: Trouble, certificate: Certificate) -> Iterator[str]:
    if trouble == UNKNOWN_HOST:
        yield UNKNOWN
    elif trouble == NO_TLS:
        yield url.replace("http:", "https:")
    elif "handshake" in trouble.name:
        trusted = {"REQUESTS_CA_BUNDLE": str(certificate.certificate)}
        with patch.dict(os.environ, trusted), fronting(url, certificate) as front:
            front.refusals = trouble.failures
            yield front.url + urlsplit(url).path
    elif trouble == UNTRUSTED:
        with fronting(url, certificate) as front:
            yield front.url + urlsplit(url).path
    else:
        with _silent_names(url, trouble.failures):
            yield url


@contextmanager
def _silent_names(url: str, failures: int) -> Iterator[None]:
    """The first look-ups of a server's name fail, as when the name server is being restarted."""
    real, port, left = socket.getaddrinfo, urlsplit(url).port, [failures]

    def look_up(host: Any, number: Any, *args: Any, **kwargs: Any) -> Any:
        if number == port and left[0] > 0:
            left[0] -= 1
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real(host, number, *args, **kwargs)

    with patch("socket.getaddrinfo", look_up):
        yield
