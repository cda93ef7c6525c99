"""A small account at each vendor: the settings of its tap, and the rows that must arrive."""

from __future__ import annotations

import contextlib
import json
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any

from sandbox.khoros import Khoros
from sandbox.kindmetrics import Kindmetrics
from sandbox.kissmetrics import Kissmetrics, Sizes
from tap_khoros_analytics.exports.definitions import EXPORTS
from typing_extensions import override

from demo.vendors import Days, KhorosDemo, KindmetricsDemo, KissmetricsDemo
from tests.end_to_end.project import variables
from tests.processes import collected
from tests.singer import Loader, Output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.faults import Faults
    from sandbox.requestlog import RequestLog
    from tap_kit.tap import KitTap

    from demo.vendors import Settings, Vendor
    from tests.singer import Row

NOW = datetime(2024, 2, 29, 12, tzinfo=timezone.utc)  # all days before it are settled
DAYS = Days(date(2024, 2, 1), date(2024, 2, 3))


class Account:
    """A vendor's sandbox and its tap; ``vendor`` knows what the sandbox holds.

    ``snapshots`` are the streams whose rows differ in each run. ``varying`` are the fields whose
    values do, because they contain a query's id or the time of the run.
    """

    snapshots: frozenset[str] = frozenset()
    varying: frozenset[str] = frozenset()

    vendor: Vendor
    faults: Faults
    log: RequestLog

    @property
    def tap(self) -> type[KitTap]:
        """The tap's class."""
        return self.vendor.tap

    @property
    def name(self) -> str:
        """The tap's name."""
        return self.tap.name

    @contextlib.contextmanager
    def serving(self) -> Iterator[dict[str, Any]]:
        """Serve the API inside; yield the tap's settings."""
        with self.vendor.serving() as served:
            yield {**_numbers(served), **_days(), **self.extra()}

    def extra(self) -> dict[str, Any]:
        """Return settings that the demo does not have."""
        return {}

    def variables(self, settings: dict[str, Any]) -> dict[str, str]:
        """Return settings as the environment variables that Meltano reads."""
        return variables(self.name, {**settings, "_select": ["*.*"]})

    def counts(self) -> dict[str, int]:
        """Return how many rows the sandbox has for each stream that the demo compares."""
        return {
            stream: sum(self.vendor.expected(stream).values()) for stream in self.vendor.streams()
        }

    def reference(self, settings: dict[str, Any]) -> dict[str, list[Row]]:
        """Return the newest row of each key of every stream, as the tap writes them."""
        catalog = self.tap(config=settings).catalog_dict
        for entry in catalog["streams"]:
            for metadata in entry["metadata"]:
                metadata["metadata"]["selected"] = True
        loader = Loader()
        with collected() as written:
            self.tap(config=settings, catalog=catalog).execute()
        loader.load(Output(written.getvalue().decode()))
        return loader.rows


class KindmetricsAccount(Account):
    """Two domains."""

    snapshots = frozenset({"current_visitors"})

    def __init__(self) -> None:
        vendor = self.vendor = KindmetricsDemo(DAYS)
        self.api = vendor.api = Kindmetrics(
            now=NOW, domains=2, visitors_per_day=12, pages_per_day=6
        )
        self.faults, self.log = self.api.faults, self.api.log


class KissmetricsAccount(Account):
    """A report that has a table of its own, and others that share one."""

    varying = frozenset({"extracted_from"})

    def __init__(self) -> None:
        vendor = self.vendor = KissmetricsDemo(DAYS)
        sizes = Sizes(events=25, properties=15, reports=4, rows_per_day=12)
        self.api = vendor.api = Kissmetrics(now=NOW, sizes=sizes)
        self.faults, self.log = self.api.faults, self.api.log

    @override
    def extra(self) -> dict[str, Any]:
        *others, last = self.api.data.runnable_reports()
        columns = ["Signed up", "Signed up (2)", "Plan", "Revenue"]
        named = {"id": last, "name": "people", "columns": columns}
        return {"reports": [*({"id": report} for report in others), named]}

    @override
    def counts(self) -> dict[str, int]:
        last = self.api.data.runnable_reports()[-1]
        own = sum(len(self.api.data.day_rows(last, day)) for day in DAYS)
        return {**super().counts(), "report_people": own}


class KissmetricsV3Account(KissmetricsAccount):
    """The same people through version 3 of the API, which can cancel queries."""

    @contextlib.contextmanager
    @override
    def serving(self) -> Iterator[dict[str, Any]]:
        with self.vendor.serving() as served:
            yield {
                **_days(),
                "api_version": "v3",
                "v3_url": f"{served['QUERY_URL']}/v3",
                "username": self.api.email,
                "password": self.api.password,
                "poll_interval_ms": int(served["POLL_INTERVAL_MS"]),
                "requests_per_minute": 1_000_000,
                "raw_exports": json.loads(served["RAW_EXPORTS"]),
            }


class KhorosAccount(Account):
    """All exports, the brand posts among them; columns with types of each kind, and misfits."""

    def __init__(self) -> None:
        vendor = self.vendor = KhorosDemo(DAYS)
        few = {**dict.fromkeys(EXPORTS, 8), "team_performance_interval": 2}
        self.api = vendor.api = Khoros(now=NOW, rows_per_day=few)
        self.faults, self.log = self.api.faults, self.api.log

    @override
    def extra(self) -> dict[str, Any]:
        """Return types, and a setting with which each run requests the columns, like the first."""
        response = {
            "RESPONSE_TAR": "integer",
            "HANDLE_TIME_TOTAL_RESPONSE": "number",
            "LSW_RESPONDED_POST_IN_BUSINESS_HOUR": "boolean",
            "DATE_CLAIMED": "date-time",
            "RESPONSE_TYPE": "integer",  # whose values are none, and neither are these
            "RESPONSE_LANGUAGE": "date-time",
        }
        user = {"TOTAL_MOBILE_TIME": "duration", "TOTAL_MOBILE_TIME_MILLIS": "integer"}
        exports = {
            "response": {"types": response},
            "user": {"types": user, "columns": ["AGENT_ID", *user]},
        }
        return {"discovery_max_age": 0, "exports": exports}

    @override
    def counts(self) -> dict[str, int]:
        """Return the counts with the brand posts, which are not selected by default."""
        posts = "raw_brand_posts"
        return {**super().counts(), posts: sum(self.vendor.expected(posts).values())}


ACCOUNTS: tuple[type[Account], ...] = (KindmetricsAccount, KissmetricsAccount, KhorosAccount)


def _numbers(served: Settings) -> dict[str, Any]:
    """Return the settings of the demo with the tap's names, and numbers and lists as such."""
    return {
        name.lower(): json.loads(value) if value.isdecimal() or value[:1] == "[" else value
        for name, value in served.items()
    }


def _days() -> dict[str, Any]:
    """Return settings for three days; a second run does not read the first day again."""
    first, last = DAYS.first.isoformat(), DAYS.last.isoformat()
    return {"start_date": first, "end_date": last, "lookback_days": 1}
