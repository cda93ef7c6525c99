"""Connections that fail, over real sockets: unknown host names and TLS errors."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import urlsplit

from tests.fault_matrix.cells import require_clean_stop, require_complete, run_in_debug
from tests.tls import serving_tls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.every_tap import Account, EveryTap
    from tests.fault_matrix.cells import Undisturbed
    from tests.tls import Certificate

STORAGE = "the storage of downloads"
UNKNOWN = "https://nowhere.invalid"  # RFC 2606: a name that never resolves


@dataclass(frozen=True)
class ConnectionFault:
    """A way in which a connection fails: its name, the words of the tap's error, how often."""

    name: str
    words: tuple[str, ...] = ()
    failures: int = 0  # how many connections fail before one succeeds; 0: all

    @property
    def is_temporary(self) -> bool:
        """Whether a later attempt succeeds."""
        return self.failures > 0


UNKNOWN_HOST = ConnectionFault("unknown host", ("cannot be resolved",))
NO_TLS = ConnectionFault("https to an http server", ("no secure connection to",))
UNTRUSTED = ConnectionFault("untrusted certificate", ("certificate cannot be verified",))
CONNECTION_FAULTS = (
    UNKNOWN_HOST,
    ConnectionFault("name server silent for a moment", failures=2),
    NO_TLS,
    UNTRUSTED,
    ConnectionFault("handshake breaks off once", failures=1),
    ConnectionFault("handshake breaks off twice", failures=2),
)


def addresses(tap: EveryTap, account: Account) -> list[str]:
    """Return the addresses that a tap connects to: from its settings, and from responses."""
    return [*tap.addresses, *([STORAGE] if hasattr(account.api, "storage_url") else [])]


def outcome(
    tap: EveryTap,
    account: Account,
    whole: Undisturbed,
    fault: ConnectionFault,
    address: str,
    certificate: Certificate,
) -> str:
    """Return how a run ended whose connections to one address fail.

    Raises:
        WrongEndError: if it ended neither complete nor with a clean stop.
    """
    with _broken_address(account, fault, address, certificate) as settings:
        ended = run_in_debug(tap, account, {**account.settings, **settings})
    if fault.is_temporary:
        require_complete(tap, whole, ended)
        return "complete"
    return require_clean_stop(tap, account, whole, fault.words, ended)


@contextmanager
def _broken_address(
    account: Account, fault: ConnectionFault, address: str, certificate: Certificate
) -> Iterator[dict[str, str]]:
    """Break an address inside; yield the settings for it."""
    before = account.api.storage_url if address == STORAGE else account.settings[address]
    with ExitStack() as stack:
        url = stack.enter_context(_address(before, fault, certificate))
        if address != STORAGE:
            yield {address: url}
            return
        account.api.storage_url = url
        stack.callback(setattr, account.api, "storage_url", before)
        yield {}


@contextmanager
def _address(url: str, fault: ConnectionFault, certificate: Certificate) -> Iterator[str]:
    if fault == UNKNOWN_HOST:
        yield UNKNOWN
    elif fault == NO_TLS:
        yield url.replace("http:", "https:")
    elif "handshake" in fault.name:
        trusted = {"REQUESTS_CA_BUNDLE": str(certificate.certificate)}
        with patch.dict(os.environ, trusted), serving_tls(url, certificate) as proxy:
            proxy.refusals = fault.failures
            yield proxy.url + urlsplit(url).path
    elif fault == UNTRUSTED:
        with serving_tls(url, certificate) as proxy:
            yield proxy.url + urlsplit(url).path
    else:
        with _failing_name_server(url, fault.failures):
            yield url


@contextmanager
def _failing_name_server(url: str, failures: int) -> Iterator[None]:
    """Let the first lookups of a server's name fail, as while a name server restarts."""
    real, port, left = socket.getaddrinfo, urlsplit(url).port, [failures]

    def resolve(host: Any, number: Any, *args: Any, **kwargs: Any) -> Any:
        if number == port and left[0] > 0:
            left[0] -= 1
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real(host, number, *args, **kwargs)

    with patch("socket.getaddrinfo", resolve):
        yield
