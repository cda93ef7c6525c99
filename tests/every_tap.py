"""All taps in one form, for tests of every tap: each with an account at a sandbox."""

from __future__ import annotations

import io
import json
import logging
import sys
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol
from unittest.mock import patch

from sandbox.khoros import Khoros
from sandbox.kindmetrics import Kindmetrics
from sandbox.kissmetrics import Kissmetrics, RunRules, Sizes
from sandbox.kissmetrics.ids import v3_id
from sandbox.server import running
from tap_khoros_analytics.tap import TapKhorosAnalytics
from tap_kindmetrics.tap import TapKindmetrics
from tap_kissmetrics.tap import TapKissmetrics
from tap_kit import SECRETS
from tap_kit.net import wire
from tap_kit.run.command import one_line_errors
from typing_extensions import override

from tests.khoros_analytics import site as khoros
from tests.kindmetrics import site as kindmetrics
from tests.kissmetrics import site as kissmetrics
from tests.kissmetrics.v3 import site as v3
from tests.processes import Ended, collected
from tests.singer import Output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sandbox.faults import Faults
    from sandbox.requestlog import RequestLog
    from tap_kit.tap import KitTap

    from tests.singer import State

Settings = dict[str, Any]
# With characters that URLs and JSON escape, so that the tests find them in any form.
TOKEN = "t0ken-k1nd/7f3a+9c=&%e2"  # noqa: S105
OTHER_TOKEN = "t0ken-k1ss/51d0+e8=&%a1"  # noqa: S105
USERNAME = "reports@tenant"
PASSWORD = 'p4ssword/9b41+e7=&"%c3'  # noqa: S105
EMAIL = "reports@kissmetrics.example"
OTHER_PASSWORD = "p4ssword/77ab+01=&%d4"  # noqa: S105
COMPANY_KEY = "c0mpany/c07d+2a=&%b5"
PAUSE_DIVISOR = 50  # the factor by which the pauses of Retry-After are shortened


class Vendor(Protocol):
    """The attributes of every sandbox."""

    faults: Faults
    log: RequestLog


@dataclass(frozen=True)
class Account:
    """A running sandbox, and the settings with which the tap reads it."""

    api: Any  # a Vendor; tests of one vendor use more of it
    settings: Settings
    catalog: dict[str, Any] | None = None

    @property
    def log(self) -> RequestLog:
        """The requests that arrived."""
        found: RequestLog = self.api.log
        return found

    @property
    def faults(self) -> Faults:
        """The faults that the sandbox produces."""
        found: Faults = self.api.faults
        return found


@dataclass(frozen=True)
class EveryTap:
    """One tap: its class, its secrets, and a small account to read."""

    tap: type[KitTap]
    secrets: Mapping[str, str]
    serve: Callable[[ExitStack], Account]
    addresses: tuple[str, ...]  # the settings with the addresses of the vendor
    volatile: frozenset[str] = field(default_factory=frozenset)  # fields that the clock sets
    version: str = ""  # of the vendor's API, if the tap reads several

    @property
    def name(self) -> str:
        """The name of the tap and its executable."""
        return str(self.tap.name)

    @property
    def executable(self) -> Path:
        """The path of the executable."""
        return Path(sys.executable).with_name(self.name)

    @override
    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()

    @contextmanager
    def serving(self) -> Iterator[Account]:
        """Serve the account until the block ends."""
        with ExitStack() as stack:
            yield self.serve(stack)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of the settings, with those that the SDK adds."""
        made: dict[str, Any] = self.tap(config=None, validate_config=False).config_jsonschema
        return made

    def run(
        self,
        settings: Settings,
        *,
        state: State | None = None,
        catalog: Any = None,
        level: int = logging.INFO,
    ) -> Ended:
        """Run the tap in this process, with the errors and exit codes of the executable."""
        code = 0
        with collected() as written, captured_log(level) as log_lines:
            try:
                with one_line_errors(self.tap.logger):
                    self.tap(
                        config=dict(settings), state=deepcopy(state), catalog=deepcopy(catalog)
                    ).execute()
            except SystemExit as end:
                code = int(str(end.code))
        return Ended(code, Output(written.getvalue().decode()), "".join(log_lines))

    def command(
        self, account: Account, *, state: str | None = None, catalog: str | None = None
    ) -> Ended:
        """Run the command line in this process, with these texts in its files."""
        found = (
            catalog
            if catalog is not None
            else (json.dumps(account.catalog) if account.catalog else None)
        )
        code = 0
        with collected() as written, captured_log() as log_lines:
            try:
                self.tap.invoke(
                    config=SimpleNamespace(config=dict(account.settings), parse_env=False),
                    state=None if state is None else io.StringIO(state),
                    catalog=None if found is None else io.StringIO(found),
                )
            except SystemExit as end:
                code = int(str(end.code))
        return Ended(code, Output(written.getvalue().decode()), "".join(log_lines))


@contextmanager
def captured_log(level: int = logging.INFO) -> Iterator[list[str]]:
    """Collect the log lines of a level and above, in the format of the executable.

    Only the secrets that are added inside are removed from them, as in a process of its own: a tap
    adds some for each job, and with those of all runs before, each line would take long.
    """
    lines: list[str] = []

    class Collector(logging.Handler):
        @override
        def emit(self, record: logging.LogRecord) -> None:
            where = f"{record.name:<20}"
            lines.append(f"- | {record.levelname:<8} | {where} | {record.getMessage()}\n")
            if record.exc_text:
                lines.append(f"{record.exc_text}\n")

    collector = Collector(level)
    root = logging.getLogger()
    before = root.level
    root.addHandler(collector)
    root.setLevel(level)
    try:
        with patch.object(SECRETS, "_patterns", {}):
            yield lines
    finally:
        root.removeHandler(collector)
        root.setLevel(before)


@contextmanager
def short_pauses() -> Iterator[None]:
    """Shorten the pauses between retries; the kit's tests check the real ones."""
    real = wire.retry_after_s

    def shortened(header: str | None) -> float | None:
        wait = real(header)
        return None if wait is None else wait / PAUSE_DIVISOR

    with (
        patch("tap_kit.net.retries.FIRST_PAUSE_S", 0.002),
        patch("tap_kit.net.http.retry_after_s", shortened),
    ):
        yield


def _serve_kindmetrics(stack: ExitStack) -> Account:
    api = Kindmetrics(
        token=TOKEN,
        now=kindmetrics.NOW,
        domains=2,
        referrers_route="documented",
        visitors_per_day=12,
        pages_per_day=6,
    )
    url = stack.enter_context(running(api.app)).url
    access = {"api_url": url, "api_token": TOKEN}
    return Account(api, {**access, "start_date": "2024-02-01", "end_date": "2024-02-02"})


def _serve_kissmetrics(stack: ExitStack) -> Account:
    api = Kissmetrics(
        token=OTHER_TOKEN,
        now=kissmetrics.NOW,
        sizes=Sizes(rows_per_day=12, reports=2, events=25, properties=5),
        run_rules=RunRules(polls=1),
    )
    at = stack.enter_context(api.serving())
    settings = {
        "api_url": at.core,
        "query_url": at.query,
        "api_token": OTHER_TOKEN,
        "start_date": "2024-02-01",
        "end_date": "2024-02-02",
        "page_size": 10,
        "poll_interval_ms": 1,
    }
    return Account(api, settings)


def _serve_kissmetrics_v3(stack: ExitStack) -> Account:
    api = Kissmetrics(
        token=OTHER_TOKEN,
        email=EMAIL,
        password=OTHER_PASSWORD,
        now=kissmetrics.NOW,
        sizes=Sizes(rows_per_day=12, products=2, reports=2, events=25, properties=5),
        run_rules=RunRules(polls=1),
    )
    at = stack.enter_context(api.serving())
    settings = {
        "api_version": "v3",
        "v3_url": f"{at.query}/v3",
        "username": EMAIL,
        "password": OTHER_PASSWORD,
        "start_date": "2024-02-01",
        "end_date": "2024-02-02",
        "page_size": 10,
        "poll_interval_ms": 1,
        "requests_per_minute": 1_000_000,
        "metric_ids": [v3_id(api.data.catalog.numbers("metrics")[0])],
        "queries": [v3.SQL],
    }
    return Account(api, settings)


def _serve_khoros(stack: ExitStack) -> Account:
    access: Settings = {
        "username": USERNAME,
        "password": PASSWORD,
        "company_key": COMPANY_KEY,
    }
    api = Khoros(**access, now=khoros.NOW, rows_per_day=8)
    at = stack.enter_context(api.serving())
    settings = {
        **access,
        "api_url": at.api,
        "start_date": "2024-02-01",
        "end_date": "2024-02-02",
        "poll_interval_ms": 1,
        "requests_per_minute": 1_000_000,
    }
    catalog = khoros.catalog_of("author", "conversation_actions", "user", "teams", "timezones")
    return Account(api, settings, catalog)


TAPS = (
    EveryTap(
        TapKhorosAnalytics,
        {"password": PASSWORD, "company_key": COMPANY_KEY, "login": f"{USERNAME}:{PASSWORD}"},
        _serve_khoros,
        ("api_url",),
    ),
    EveryTap(
        TapKindmetrics,
        {"api_token": TOKEN},
        _serve_kindmetrics,
        ("api_url",),
        frozenset({"observed_at"}),
    ),
    EveryTap(
        TapKissmetrics,
        {"api_token": OTHER_TOKEN},
        _serve_kissmetrics,
        ("api_url", "query_url"),
        frozenset({"extracted_from"}),  # a query's id depends on how often a report was started
    ),
    EveryTap(
        TapKissmetrics,
        {"password": OTHER_PASSWORD, "login": f"{EMAIL}:{OTHER_PASSWORD}"},
        _serve_kissmetrics_v3,
        ("v3_url",),
        frozenset({"extracted_from"}),
        version="v3",
    ),
)
EXECUTABLES = tuple(tap for tap in TAPS if not tap.version)  # each tap once
