"""HTTP sessions to one vendor: no redirect is followed, the environment is read once."""

from __future__ import annotations

import logging

import requests
from requests.adapters import HTTPAdapter
from typing_extensions import override


class Session(requests.Session):
    """Follows no redirect, and does not even look where one leads: some lead to no address."""

    @override
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None

    @override
    def close(self) -> None:
        """Close the connections now: urllib3 waits until nothing knows their pool any more.

        After an error that is till the garbage collector comes by, as a traceback knows it.
        """
        for adapter in self.adapters.values():
            if isinstance(adapter, HTTPAdapter):  # pragma: no branch  (for the type checker only)
                for manager in (adapter.poolmanager, *adapter.proxy_manager.values()):
                    for key in manager.pools.keys():  # noqa: SIM118  (it cannot be iterated over)
                        manager.pools[key].close()
        super().close()


def session_to(url: str, *, user_agent: str, connections: int) -> Session:
    """A session with the proxy and the certificates that the environment names for ``url``.

    Looked up once: requests goes through the whole environment for each request, which takes as
    long as all else that it does.
    """
    session = Session()
    session.headers.update({"Accept": "application/json", "User-Agent": user_agent})
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=connections)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    environment = session.merge_environment_settings(url, {}, stream=True, verify=None, cert=None)
    session.proxies, session.verify = environment["proxies"], environment["verify"]
    session.trust_env = False
    return session


def strip_queries_from_logs() -> None:
    """Have urllib3 log addresses without their query; to say so twice does no harm.

    At level DEBUG it logs the whole address of each request. A query can hold a key of the
    vendor's, a filter that is nobody's business, or the signature of a link that opens a file.
    """
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(without_query)


_LOGGERS = ("urllib3.connectionpool", "urllib3.poolmanager", "urllib3.connection")


def without_query(record: logging.LogRecord) -> bool:
    """A filter that keeps every record, and cuts its texts off behind an address's path."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            arg.partition("?")[0] if isinstance(arg, str) else arg for arg in record.args
        )
    return True
