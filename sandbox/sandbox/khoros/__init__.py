"""The Khoros Care Analytics Reports API on loopback, with an invented but consistent tenant."""

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
    """The two base URLs, without a trailing slash."""

    api: str
    storage: str


@dataclass(kw_only=True, eq=False)
class Khoros(Switches):
    """One tenant, served by two apps on two addresses: ``api`` and ``storage``.

    Its keywords are those of ``Switches``. Both apps share ``faults`` and ``log``. ``data`` is
    what a correct reader gets, ``jobs`` and ``counts`` are what clients did, ``clock`` can be
    advanced.
    """

    def __post_init__(self) -> None:
        """Set up the tenant."""
        self.clock = Clock(self.now)
        self.counts = Counts()
        self.data = Data(self, self.clock)
        self._jobs = Jobs(self, self.clock, self.counts)
        links = Links(self.clock, self, self.counts)
        api = Api(self.data, self, self._jobs, links)
        self.api = ApiFrame(api.respond, self.counts, self)
        self.storage = StorageFrame(links, self.api)
        self.faults = self.api.faults
        self.log = self.api.log

    @property
    def jobs(self) -> list[Job]:
        """The jobs that clients started, oldest first."""
        return self._jobs.all

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
