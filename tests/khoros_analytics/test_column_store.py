"""The tenant's columns are stored, so that discovery costs a daily run no requests."""

from __future__ import annotations

import copy
import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from sandbox.faults import Fault
from tap_khoros_analytics.exports.definitions import EXPORTS
from tap_kit.errors import SyncFailed

from tests.khoros_analytics.site import (
    ONE_DAY,
    catalog_fields,
    deselected,
    given_except,
    selecting,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Catalog, Site

DAY = timedelta(days=1)
START = datetime(2024, 3, 1, 3, tzinfo=timezone.utc)
READ = ("author", "combined", "user")
DISCOVERED = {*READ, "raw_brand_posts"}
# The columns of the others are given, which keeps these tests short.
GIVEN = given_except(*DISCOVERED)


class Tenant:
    """A tenant whose columns are stored, on several days."""

    def __init__(self, site: Site, **settings: Any) -> None:
        self.site = site
        self.folder = site.folder / "stored"
        self.settings = {"discovery_folder": str(self.folder), "exports": GIVEN, **settings}

    def discover(self, days: float = 0, **settings: Any) -> tuple[set[str], Catalog]:
        """Return the exports that a discovery requests on a day, and its catalog."""
        self.site.api.log.clear()
        with self.on(days):
            catalog = self.site.tap(**{**self.settings, **settings}).catalog_dict
        return self.requested(), catalog

    def requested(self) -> set[str]:
        """Return the exports that were started since the log was cleared."""
        starts = [r.path.rpartition("/")[2] for r in self.site.api.log.requests]
        return {*starts} & EXPORTS.keys()

    def run(self, catalog: Catalog, days: float, *streams: str, **settings: Any) -> None:
        """Read one day on another day, with ``READ`` or other streams selected."""
        catalog = selecting(copy.deepcopy(catalog), *(streams or READ))
        with self.on(days):
            self.site.sync(catalog=catalog, **{**ONE_DAY, **self.settings, **settings})

    def on(self, days: float) -> Any:
        """Return a context in which it is that many days after the start."""
        return patch("tap_khoros_analytics.column_store._now", return_value=START + days * DAY)

    @property
    def file(self) -> Path:
        """The only stored file."""
        (path,) = self.folder.iterdir()
        return path


@pytest.fixture
def tenant(site: Site) -> Tenant:
    return Tenant(site)


def test_daily_runs_request_no_columns(tenant: Tenant, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "tap_khoros_analytics")
    requested, catalog = tenant.discover()
    assert requested == DISCOVERED
    tenant.run(catalog, 0.01)
    for day in (1, 2, 8):
        caplog.clear()
        requested, again = tenant.discover(day)
        assert (requested, again) == (set(), catalog)
        assert tenant.site.api.log.requests == []
        (line,) = [text for text in caplog.messages if text.startswith("Reusing")]
        assert line.startswith("Reusing the columns of 4 export(s), discovered up to ")
        assert f"{day} days ago" in line or day == 1
        tenant.run(again, day + 0.01)


def test_without_a_run_columns_are_reused_for_less_than_a_day(tenant: Tenant) -> None:
    _, catalog = tenant.discover()
    assert tenant.discover(0.8)[0] == set()
    assert tenant.discover(1) == (DISCOVERED, catalog)
    assert tenant.discover(1.1, discovery_max_age=1)[0] == DISCOVERED
    assert tenant.discover(1.0)[0] == DISCOVERED, "stored in the future: the clock is wrong"


def test_a_new_column_is_found_by_a_run_and_arrives_in_the_next_one(serve: Serve) -> None:
    """So is a column that a CSV export does not have any more. Other exports are not requested."""
    columns = ["AUTHOR_ID", "AUTHOR_NAME", "AUTHOR_LANGUAGE"]
    for report_format in ("json", "csv"):
        tenant = Tenant(serve(columns={"author": columns}), report_format=report_format)
        tenant.folder = tenant.folder / report_format
        tenant.settings["discovery_folder"] = str(tenant.folder)
        _, catalog = tenant.discover()
        tenant.run(catalog, 0.01)
        tenant.site.api.columns = {"author": ["AUTHOR_ID", "AUTHOR_NAME", "AUTHOR_HANDLE"]}
        assert tenant.discover(1)[0] == set()
        tenant.run(catalog, 1.01)
        requested, catalog = tenant.discover(1.02)
        assert requested == {"author"}
        fields = catalog_fields(catalog, "author")
        assert "author_handle" in fields
        assert "author_language" not in fields
        tenant.run(catalog, 2.01)
        assert tenant.discover(3)[0] == set()


def test_a_name_that_discovery_does_not_find_is_requested_once(tenant: Tenant) -> None:
    _, catalog = tenant.discover()
    stored = json.loads(tenant.file.read_bytes())
    stored["exports"]["author"]["unknown"] = ["A Name Without A Column"]
    tenant.file.write_text(json.dumps(stored))
    (entry,) = [e for e in catalog["streams"] if e["stream"] == "author"]
    del entry["schema"]["properties"]["author_name"]
    tenant.run(catalog, 0.01)
    stored = json.loads(tenant.file.read_bytes())
    assert "changed_at" not in stored["exports"]["author"], "the stored columns have the name"
    stored["exports"]["author"]["names"].remove("Author Name")
    tenant.file.write_text(json.dumps(stored))
    tenant.run(catalog, 0.02)
    assert tenant.discover(0.03)[0] == {"author"}
    stored = json.loads(tenant.file.read_bytes())
    assert stored["exports"]["author"]["unknown"] == ["A Name Without A Column"]


def test_columns_that_a_run_does_not_see_are_renewed(tenant: Tenant) -> None:
    _, catalog = tenant.discover()
    tenant.run(deselected(catalog, "author", "author_name"), 0.01)
    assert tenant.discover(1)[0] == {"author"}


def test_exports_that_no_run_reads_are_not_renewed(tenant: Tenant) -> None:
    _, catalog = tenant.discover()
    tenant.run(catalog, 0.01, "author", "team_performance", "teams")
    assert tenant.discover(6) == (set(), catalog)
    assert tenant.discover(9) == (set(), catalog), "neither is author, which no run has read since"
    tenant.run(catalog, 9.01, "author", "combined")
    assert tenant.discover(20)[0] == set()
    tenant.run(
        catalog,
        20.01,
        "author",
        "combined",
        exports={**GIVEN, "author": {"columns": ["AUTHOR_ID"]}},
    )
    assert tenant.discover(26)[0] == {"author"}


@pytest.mark.parametrize(
    "other",
    [
        {"username": "another@tenant"},
        {"company_key": "another-k3y"},
        {"report_format": "csv", "locale": "de"},
    ],
    ids=str,
)
def test_columns_of_another_account_or_language_are_not_used(
    serve: Serve, tenant: Tenant, other: dict[str, Any]
) -> None:
    tenant.discover()
    access = {name: value for name, value in other.items() if name in {"username", "company_key"}}
    other_site = serve(**access)
    with patch.object(tenant, "site", other_site):
        other_settings = {**other, "api_url": tenant.site.at.api}
        assert tenant.discover(0.01, **other_settings)[0] == DISCOVERED
    assert len([*tenant.folder.iterdir()]) == 2
    names = "".join(path.name + path.read_text() for path in tenant.folder.iterdir())
    for secret in ("company-k3y", "another", "reports@tenant", "s3cret"):
        assert secret not in names


def of_another_account(stored: dict[str, Any]) -> None:
    stored["account"] = "0" * 32


def of_another_form(stored: dict[str, Any]) -> None:
    stored["form"] = 0


@pytest.mark.parametrize("change", [of_another_account, of_another_form])
def test_a_foreign_file_is_ignored_with_a_line(
    tenant: Tenant, caplog: pytest.LogCaptureFixture, change: Callable[[dict[str, Any]], None]
) -> None:
    tenant.discover()
    stored = json.loads(tenant.file.read_bytes())
    change(stored)
    tenant.file.write_text(json.dumps(stored))
    assert tenant.discover()[0] == DISCOVERED
    assert f"Ignoring the file {tenant.file}: it is for another account or version" in caplog.text
    assert tenant.discover()[0] == set()


def test_a_maximum_age_of_0_requests_and_stores_all_columns(tenant: Tenant) -> None:
    _, catalog = tenant.discover()
    tenant.run(catalog, 0.01)
    columns = ["AUTHOR_ID", "AUTHOR_NAME", "LOYALTY_LEVEL"]
    tenant.site.api.columns = {"author": columns}
    requested, catalog = tenant.discover(0.02, discovery_max_age=0)
    assert requested == DISCOVERED
    assert "loyalty_level" in catalog_fields(catalog, "author")
    assert tenant.discover(0.03) == (set(), catalog)


def test_under_meltano_columns_are_stored_in_its_folder(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MELTANO_SYS_DIR_ROOT", str(site.folder / ".meltano"))
    tenant = Tenant(site)
    del tenant.settings["discovery_folder"]
    catalog = site.tap(**tenant.settings).catalog_dict
    site.api.log.clear()
    assert site.tap(**tenant.settings).catalog_dict == catalog
    assert site.api.log.requests == []
    tenant.folder = site.folder / ".meltano" / "run" / "tap-khoros-analytics"
    assert tenant.file.name.startswith("columns-")


def test_what_was_found_before_an_error_is_stored(tenant: Tenant) -> None:
    fault = Fault("status", status=500, path="report/user")
    tenant.site.api.faults.append(fault)
    with pytest.raises(SyncFailed):
        tenant.discover()
    tenant.site.api.faults.clear()
    assert "user" in tenant.discover(0.01)[0] < DISCOVERED


def test_a_refusal_is_stored_only_for_an_export_that_is_off_by_default(serve: Serve) -> None:
    tenant = Tenant(serve(has_brand_posts=False))
    tenant.site.api.faults.append(Fault("status", status=400, path="report/author"))
    requested, catalog = tenant.discover()
    assert requested == DISCOVERED
    assert tenant.discover(0.1) == ({"author"}, catalog)
    tenant.run(catalog, 0.2, "combined")
    assert tenant.discover(1)[0] == {"author", "raw_brand_posts"}


def test_a_run_that_reads_nothing_notes_nothing(tenant: Tenant) -> None:
    _, catalog = tenant.discover()
    before = tenant.file.read_bytes()
    tenant.run(catalog, 1, "teams")
    assert tenant.file.read_bytes() == before
