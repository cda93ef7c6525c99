"""The Khoros Care Analytics Reports API on loopback, with a made-up but coherent tenant."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from sandbox.khoros.api import Api
from sandbox.khoros.clock import Clock
from sandbox.khoros.data import Data
from sandbox.khoros.jobs import Counts, Job, Jobs, Start
from sandbox.khoros.storage import Links
from sandbox.khoros.streaming import ApiFrame, StorageFrame
from sandbox.khoros.switches import Cut, Switches
from sandbox.server import running

__all__ = ("Addresses", "Cut", "Data", "Job", "Khoros", "Start")


class Addresses(NamedTuple):
    """The two base URLs, without a slash at the end."""

    api: str
    storage: str


@dataclass(kw_only=True, eq=False)
class Khoros(Switches):
    """One tenant, served by two apps on two addresses: ``api`` and ``storage``.

    Its keywords are those of ``Switches``. ``faults`` and ``log`` belong to both apps, ``data``
    is what should arrive, ``jobs`` and ``counts`` what was done, ``clock`` can be moved.
    """

    def __post_init__(self) -> None:
        """Set up the tenant."""
        self.clock = Clock(self.now)
        self.counts = Counts()
        self.data = Data(self, self.clock)
        self._jobs = Jobs(self, self.clock, self.counts)
        self._links = Links(self.clock, self, self.counts)
        self._api = Api(self.data, self, self._jobs, self._links)
        self.api = ApiFrame(
            self._api.respond,
            self.counts.told,
            latency_ms=self.latency_ms,
            keep=self.keep_requests,
        )
        self.storage = StorageFrame(self._links, self.api)
        self.faults = self.api.faults
        self.log = self.api.log

    @property
    def jobs(self) -> list[Job]:
        """The jobs that were started, oldest first."""
        return self._jobs.all

    @property
    def api_url(self) -> str:
        """The API's address in its answers; empty takes it from the request's Host header."""
        return self._api.url

    @api_url.setter
    def api_url(self, url: str) -> None:
        self._api.url = url

    @property
    def storage_url(self) -> str:
        """The address that downloads are redirected to; it has to be set."""
        return self._links.url

    @storage_url.setter
    def storage_url(self, url: str) -> None:
        self._links.url = url

    @contextmanager
    def serving(self) -> Iterator[Addresses]:
        """Serve both apps in threads, each on a free port, until the block ends."""
        with running(self.api) as api, running(self.storage) as storage:
            before = self.storage_url
            self.storage_url = before or storage.url
            try:
                yield Addresses(api.url, storage.url)
            finally:
                self.storage_url = before
