"""HTTP sessions with one vendor, which follow no redirect and read the environment once."""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING

import requests
from requests.adapters import HTTPAdapter
from typing_extensions import override

from tap_kit.net.connections import LimitedAdapter
from tap_kit.net.environment import check_environment

if TYPE_CHECKING:
    import logging


class Session(requests.Session):
    """A session that follows no redirect and does not parse its target, which can be invalid."""

    @override
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None

    @override
    def close(self) -> None:
        """Close the connections now.

        urllib3 keeps them open while anything refers to their pool. After an error the traceback
        does, until garbage collection.
        """
        adapters = [one for one in self.adapters.values() if isinstance(one, HTTPAdapter)]
        for adapter in adapters:
            for manager in (adapter.poolmanager, *adapter.proxy_manager.values()):
                for key in manager.pools.keys():  # noqa: SIM118  (it cannot be iterated over)
                    manager.pools[key].close()
        super().close()


def open_session(url: str, *, user_agent: str, connections: int) -> Session:
    """Return a session with the proxy and the certificates that the environment sets for ``url``.

    It reads the environment once. By default, requests reads all of it for each request, which
    takes as long as the rest of its work. It keeps no cookies: no API needs them, and a server
    could send ever more of them.

    Raises:
        ConfigValidationError: if a variable of the environment cannot be used.
    """
    session = Session()
    session.headers.update({"Accept": "application/json", "User-Agent": user_agent})
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = LimitedAdapter(pool_connections=1, pool_maxsize=connections)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    environment = session.merge_environment_settings(url, {}, stream=True, verify=None, cert=None)
    check_environment(url, environment["proxies"], environment["verify"])
    session.proxies, session.verify = environment["proxies"], environment["verify"]
    session.trust_env = False
    return session


def remove_queries(record: logging.LogRecord) -> None:
    """Cut the query off each address in a log record of urllib3.

    At level DEBUG urllib3 logs the whole address of each request. A query can contain an API key,
    a private filter, or the signature of a link to a file.
    """
    if isinstance(record.args, tuple):
        record.args = tuple(
            arg.partition("?")[0] if isinstance(arg, str) else arg for arg in record.args
        )
