"""Follow the redirect of a download to a storage service, without the credentials of the API."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tap_kit.errors import SyncFailed
from tap_kit.net.exchange import Exchange, exchanging, refusal
from tap_kit.net.hosts import host_kind, redirect_target
from tap_kit.net.sessions import open_session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    import requests

MAX_REDIRECTS = 5


class Redirects:
    """Follows the redirects of one API.

    ``peers`` are the kinds of addresses where the API itself was reached: a redirect may lead to
    public addresses, and to others only where the API is too. Otherwise a server could make the tap
    read from services that only this machine or its network can reach.
    """

    def __init__(self, api_url: str, peers: AbstractSet[str], user_agent: str) -> None:
        self._own_kind = host_kind(api_url)
        self._peers = peers
        self._user_agent = user_agent

    @contextlib.contextmanager
    def follow(
        self, url: str, location: str, exchange: Exchange, timeout_s: float
    ) -> Iterator[requests.Response]:
        """Open what the redirect from ``url`` to ``location`` leads to, after at most five hops.

        The response can have any status that is no redirect.

        Raises:
            SyncFailed: if a hop leads to an address that is not allowed, or there are too many.
        """
        source, allowed = exchange.source, frozenset({"public", *self._peers, *self._own_kinds()})
        exchange.restrict(allowed)
        for _ in range(MAX_REDIRECTS):
            target = redirect_target(url, location)
            if target is None:
                msg = f"{source}: the redirect's target is not a valid https URL; refused"
                raise SyncFailed(msg)
            kind = host_kind(target)
            if kind is not None and kind not in allowed:
                raise SyncFailed(refusal(source, kind))
            with self._get(target, exchange, timeout_s) as response:
                following = response.headers.get("Location")
                if not (response.is_redirect and following):
                    yield response
                    return
            url, location = target, following
        msg = f"{source}: more than {MAX_REDIRECTS} redirects in a row; refused"
        raise SyncFailed(msg)

    def _own_kinds(self) -> set[str]:
        return {self._own_kind} if self._own_kind else set()

    def _get(self, url: str, exchange: Exchange, timeout_s: float) -> requests.Response:
        # A new session has no credentials. An `auth` that adds none keeps it from reading .netrc.
        with (
            open_session(url, user_agent=self._user_agent, connections=1) as session,
            exchanging(exchange),
        ):
            return session.get(
                url,
                auth=lambda prepared: prepared,
                timeout=timeout_s,
                stream=True,
                headers={"Accept": "*/*"},
            )
