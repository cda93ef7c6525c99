"""A column keeps its type from run to run, whatever its values become."""

from __future__ import annotations

import copy
import json
from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import patch

import pytest
from sandbox.faults import Fault
from sandbox.khoros.columns import EVENT_VALUES
from tap_khoros_analytics.exports.definitions import EXPORTS
from tap_khoros_analytics.tap import TapKhorosAnalytics

from tests.khoros_analytics.site import selecting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.khoros.values import Slot

    from tests.khoros_analytics.conftest import Serve
    from tests.khoros_analytics.site import Catalog, Site
    from tests.singer import Row

DAY = timedelta(days=1)
LAST = str(datetime.now(timezone.utc).date() - DAY)  # the day of discovery's sample
YESTERDAY: dict[str, Any] = {"start_date": LAST, "end_date": LAST}
START = datetime(2024, 3, 1, 3, tzinfo=timezone.utc)
GIVEN: dict[str, Any] = {n: {"columns": ["AGENT_ID"]} for n in EXPORTS if n != "author"}
COLUMN = "AUTHOR_FOLLOWERS"
INTEGERS, NUMBERS, MIXED = ("7", "-3", "120"), ("7", "1.5", "2.25"), ("7", "1.5", "many")
HOSTILE = ("7", "1e400", "9223372036854775808", "0012", "NaN", "1,234", "٣", "", "-5", "1:02:03")


class Days:
    """Discoveries and runs of a tenant, each on a day after the start.

    ``cells`` are the texts that the column has; they change from day to day.
    """

    def __init__(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        self.site = site
        self.folder = site.folder / "stored"
        self.settings: dict[str, Any] = {
            "column_types": "typed",
            "exports": GIVEN,
            "discovery_folder": str(self.folder),
        }
        self.cells: Sequence[str] = INTEGERS
        monkeypatch.setitem(cast("dict[str, Any]", EVENT_VALUES), COLUMN, self._cell)

    def _cell(self, slot: Slot) -> str:
        return self.cells[slot.number % len(self.cells)]

    def on(self, day: float) -> Any:
        """Return a context in which it is that many days after the start."""
        return patch("tap_khoros_analytics.column_store._now", return_value=START + day * DAY)

    def discover(self, day: float, **settings: Any) -> Catalog:
        """Return the catalog of a discovery on a day."""
        config = self.site.settings(**{**self.settings, **settings})
        with self.on(day):
            tap = TapKhorosAnalytics(config=config, setup_mapper=False)
            return cast("Catalog", tap.catalog_dict)

    def run(self, day: float, catalog: Catalog) -> list[Row]:
        """Return the authors that a run on a day reads."""
        chosen = selecting(copy.deepcopy(catalog), "author")
        with self.on(day):
            return self.site.sync(catalog=chosen, **YESTERDAY, **self.settings).rows("author")

    def requested(self) -> bool:
        """Return whether the columns of the export were requested since the last call."""
        found = bool(self.site.requested("report/author"))
        self.site.api.log.clear()
        return found


@pytest.fixture
def days(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Days:
    return Days(serve(now=None, rows_per_day=60), monkeypatch)


def type_of(catalog: Catalog) -> Any:
    """Return the type of the column in a catalog, and that of the field beside it, if any."""
    (entry,) = [entry for entry in catalog["streams"] if entry["stream"] == "author"]
    fields = entry["schema"]["properties"]
    names = ("author_followers", "author_followers_raw")
    return [fields[name]["type"] for name in names if name in fields]


def response_in(catalog: Catalog) -> dict[str, Any]:
    """Return the types of the fields of responses."""
    (entry,) = [entry for entry in catalog["streams"] if entry["stream"] == "response"]
    return {field: one["type"] for field, one in entry["schema"]["properties"].items()}


def values_in(rows: Sequence[Row]) -> set[tuple[Any, Any]]:
    return {(row["author_followers"], row["author_followers_raw"]) for row in rows}


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the warnings since the last call."""
    found = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    caplog.clear()
    return found


TYPED = [["integer", "null"], ["string", "null"]]


def test_a_type_stays_when_values_become_wider(
    days: Days, caplog: pytest.LogCaptureFixture
) -> None:
    """In a run, in a discovery of the new values, and with nothing but Meltano's catalog."""
    catalog = days.discover(0)
    assert type_of(catalog) == TYPED
    first = days.run(0, catalog)
    assert values_in(first) == {(7, None), (-3, None), (120, None)}
    assert warnings_in(caplog) == []

    days.cells = NUMBERS
    days.requested()
    assert days.discover(1) == catalog
    assert not days.requested(), "the stored columns are current"
    rows = days.run(1, catalog)
    assert values_in(rows) == {(7, None), (None, "1.5"), (None, "2.25")}
    assert_counted(rows, warnings_in(caplog))

    days.cells = MIXED
    days.requested()
    assert days.discover(2, discovery_max_age=0) == catalog
    assert days.requested(), "new values were seen"
    rows = days.run(2, catalog)
    assert values_in(rows) == {(7, None), (None, "1.5"), (None, "many")}
    assert_counted(rows, warnings_in(caplog))

    (file,) = days.folder.iterdir()
    file.unlink()
    assert values_in(days.run(3, catalog)) == values_in(rows)
    assert_counted(rows, warnings_in(caplog))
    assert type_of(days.discover(4)) == [["string", "null"]], "without both, it is learned anew"


def test_a_type_outlives_the_age_of_its_columns(
    days: Days, caplog: pytest.LogCaptureFixture
) -> None:
    catalog = days.discover(0)
    for day, days.cells in ((1.5, NUMBERS), (3, MIXED), (30, [""])):
        days.requested()
        assert days.discover(day) == catalog
        assert days.requested(), "the stored columns are too old"
    days.cells = MIXED
    rows = days.run(30, catalog)
    assert values_in(rows) == {(7, None), (None, "1.5"), (None, "many")}
    assert_counted(rows, warnings_in(caplog))


def test_a_type_stays_when_the_vendor_spells_the_name_in_another_way(days: Days) -> None:
    assert type_of(days.discover(0)) == TYPED
    days.cells = MIXED
    for name in ("author_followers", "Author  followers", "AuthorFollowers"):
        with patch("sandbox.khoros.render.display_name", lambda *_, name=name: name):
            days.site.api.columns = {"author": [COLUMN]}
            assert type_of(days.discover(1, discovery_max_age=0)) == TYPED


@pytest.mark.parametrize("has_columns", [False, True])
def test_documented_columns_of_a_refused_export_stay_what_they_were(
    days: Days, *, has_columns: bool
) -> None:
    """A run makes their table, although it has no rows."""
    days.settings["exports"] = {name: GIVEN[name] for name in GIVEN if name != "response"}
    before = days.discover(0) if has_columns else None
    days.site.api.faults.append(Fault("status", status=403, path="report/response"))
    refused = days.discover(2)
    days.site.api.faults.clear()
    days.requested()
    found = days.discover(2.1)
    assert days.site.requested("report/response"), "the refusal is not stored"
    for catalog in filter(None, (before, found)):
        fields, others = response_in(catalog), response_in(refused)
        assert {f: others[f] for f in others if f in fields} == {
            f: fields[f] for f in fields if f in others
        }
        is_text = fields["response_tar"] == ["string", "null"]
        assert is_text != has_columns
    assert days.discover(2.2) == found


def test_a_column_that_began_as_a_text_stays_one(
    days: Days, caplog: pytest.LogCaptureFixture
) -> None:
    """A warehouse does not narrow a column either."""
    days.cells = MIXED
    catalog = days.discover(0)
    assert type_of(catalog) == [["string", "null"]]
    days.cells = INTEGERS
    assert days.discover(40) == catalog
    assert {row["author_followers"] for row in days.run(40.1, catalog)} == {*INTEGERS}
    assert warnings_in(caplog) == []


def test_hostile_values_stop_no_run(days: Days, caplog: pytest.LogCaptureFixture) -> None:
    catalog = days.discover(0)
    days.cells = HOSTILE
    rows = days.run(1, catalog)
    fitting = {"7": 7, "-5": -5, "": None}
    assert values_in(rows) == {
        *((value, None) for value in fitting.values()),
        *((None, text) for text in HOSTILE if text not in fitting),
    }
    assert_counted(rows, warnings_in(caplog))


def test_a_type_that_the_settings_change_is_the_users_choice(days: Days) -> None:
    assert type_of(days.discover(0)) == TYPED
    chosen = {**GIVEN, "author": {"types": {COLUMN: "text"}}}
    assert type_of(days.discover(0.1, exports=chosen)) == [["string", "null"]]
    assert type_of(days.discover(0.2)) == TYPED
    stored = json.loads(next(days.folder.iterdir()).read_bytes())["exports"]["author"]["types"]
    assert Counter(stored.values())["integer"] == 1


def assert_counted(rows: Sequence[Row], warnings: Sequence[str]) -> None:
    """Check that one warning has the number of misfits in rows."""
    count = sum(row["author_followers_raw"] is not None for row in rows)
    assert count > 0
    text = (
        f"author: {count} value(s) of author_followers have another type than integer; "
        "author_followers is null, the text is in author_followers_raw"
    )
    assert list(warnings) == [text]


def test_file_with_an_unknown_type_is_ignored(days: Days, caplog: pytest.LogCaptureFixture) -> None:
    """Each catalog would have that type, and each run would refuse it."""
    catalog = days.discover(0)
    (file,) = days.folder.glob("columns-*.json")
    stored = json.loads(file.read_bytes())
    stored["exports"]["author"]["types"]["author_followers"] = "integers"
    file.write_text(json.dumps(stored), encoding="utf-8")
    caplog.clear()
    assert days.discover(0) == catalog
    (warning,) = {*warnings_in(caplog)}
    assert warning.startswith(f"Ignoring the file {file}: ")
    assert "types" in warning
