"""States that are wrapped, doubled or of another shape: one line each, or the right run."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from singer_sdk.exceptions import ConfigValidationError
from tap_kit.errors import KitError
from tap_kit.run.states import checked_state, load_state

from tests.kit.canned import ID, TEXT, Table, captured, tap_of
from tests.kit.json_values import json_values, mutated

if TYPE_CHECKING:
    from tap_kit.flow.tasks import WindowTask

LOGGER = logging.getLogger("tap-canned")
DAYS = {"start_date": "2024-01-01", "end_date": "2024-01-03"}
SITES = ({"site": 1}, {"site": 2})
MARK = {"replication_key": "date", "replication_key_value": "2024-01-03"}
STATE: dict[str, Any] = {
    "bookmarks": {
        "figures": {"partitions": [{"context": site, **MARK} for site in SITES]},
        "days": {**MARK, "jobs": {"2024-01-03": {"id": "7"}}},
    }
}


def rows_of(task: WindowTask) -> list[dict[str, Any]]:
    """Return a row per day."""
    day = task.window.first
    return [{"id": day.day, "site": task.partition.get("site"), "date": day.isoformat()}]


PROPERTIES = {"id": ID, "date": TEXT, "site": {"type": ["integer", "null"]}}
TAP = tap_of(
    Table(PROPERTIES, rows_of, replication_key="date", partitions=SITES),
    Table(PROPERTIES, rows_of, name="days", replication_key="date"),
)


def line_of(state: Any) -> str:
    """Return the only error of a state."""
    with pytest.raises(ConfigValidationError) as caught:
        checked_state(state, LOGGER)
    (line,) = caught.value.errors
    assert line.startswith("--state ")
    assert "\n" not in line
    return str(line)


def rows_with(state: Any) -> int:
    """Return the number of rows of a run with this state."""
    with captured() as run:
        TAP(config=DAYS, state=checked_state(state, LOGGER)).execute()
    return len(run.records)


@pytest.mark.parametrize(
    "state",
    [
        {"singer_state": STATE},
        {"completed": {"singer_state": STATE}, "partial": {}},
        {"completed": {"singer_state": STATE}},
        {"completed_state": {"singer_state": STATE}, "partial_state": None, "state_id": "x"},
        {"completed": {}, "partial": {"singer_state": STATE}},
        {"type": "STATE", "value": STATE},
        {"value": STATE},
        {"state": STATE},
    ],
)
def test_wrapped_state_is_read(state: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    assert rows_with(state) == rows_with(STATE) == 3
    lines = [m for m in caplog.messages if m.startswith("Reading the state inside ")]
    assert len(lines) == 1


@pytest.mark.parametrize("state", [{}, {"singer_state": {}}, {"value": {}}, {"bookmarks": {}}])
def test_empty_state_is_no_state(state: Any) -> None:
    assert rows_with(state) == 9


def test_missing_state_is_none() -> None:
    assert load_state(None, LOGGER) is None


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        ({"completed": STATE, "partial": STATE}, "has more than one state (completed, partial)"),
        ({**STATE, "singer_state": STATE}, "has more than one state (bookmarks, singer_state)"),
        ({"value": None}, "must be a Singer state: Expected `object`, got `null`"),
        ({"type": "STATE"}, "must be a Singer state: it has no bookmarks, but type"),
        ({"figures": "2024-01-01"}, "must be a Singer state: it has no bookmarks, but figures"),
        ([STATE], "must be a Singer state: Expected `object`, got `array`"),
        ({"bookmarks": None}, "must be a Singer state: "),
        ({"bookmarks": {"x": None}}, "must be a Singer state: "),
        ({"bookmarks": {"x": {"partitions": {}}}}, "must be a Singer state: "),
        ({"bookmarks": {"x": {"partitions": [None]}}}, "must be a Singer state: "),
        ({"bookmarks": {"x": {"partitions": [{"context": 1}]}}}, "must be a Singer state: "),
        ({"bookmarks": {"x": {"progress_markers": None}}}, "must be a Singer state: "),
        ({"bookmarks": {"x": {"partitions": [{}]}}}, "must be a Singer state: "),
        ({"bookmarks": {"\ud800": {}}}, "must be valid Unicode"),
    ],
)
def test_what_is_not_a_single_state_is_one_line(state: Any, problem: str) -> None:
    assert line_of(state).startswith(f"--state {problem}")


@pytest.mark.parametrize(
    "context", [{"site": 1}, {"site": 1.0}, {"a": {"b": [1, {}]}}, {"x": None}, {}]
)
def test_partition_twice_is_one_line(context: dict[str, Any]) -> None:
    entries = [{"context": context, **MARK}, {"context": {"site": 9}}, {"context": dict(context)}]
    line = line_of({"bookmarks": {"figures": {"partitions": entries}}})
    assert line == "--state has a partition of figures twice; remove one of the two entries"


def test_bookmark_that_is_not_a_date_is_one_line() -> None:
    for value in (5, "yesterday", ["2024-01-01"], True):
        entry = {"replication_key": "date", "replication_key_value": value}
        with pytest.raises(KitError, match="the bookmark in the state is not a date"):
            rows_with({"bookmarks": {"days": entry}})


@pytest.mark.parametrize(
    ("streams", "level", "line"),
    [
        (("other",), "WARNING", "--state has no stream of this tap; reading from the start"),
        (("a", "b", "days"), "INFO", "Ignoring unknown streams in --state: a, b"),
    ],
)
def test_unknown_streams_are_logged(
    streams: tuple[str, ...], level: str, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    assert rows_with({"bookmarks": {stream: {"date": "2024-01-01"} for stream in streams}}) == 9
    logged = [(r.levelname, r.message) for r in caplog.records if "--state" in r.message]
    assert logged == [(level, line)]


NAMES = (
    *("bookmarks", "figures", "days", "partitions", "context", "site", "jobs", "value", "state"),
    *("replication_key", "replication_key_value", "progress_markers", "singer_state", "completed"),
    *("date", "2024-01-02", "starting_replication_value", "replication_key_signpost", "partial"),
)


def assert_run_or_one_line(state: Any) -> None:
    """Check that a run with this state reads every day, resumes, or ends with one line."""
    line = ""
    with captured() as run:
        try:
            made = load_state(io.StringIO(json.dumps(state)), LOGGER)
            TAP(config=DAYS, state=made).execute()
        except ConfigValidationError as error:
            (line,) = error.errors
        except KitError as error:
            line = str(error)
    assert "\n" not in line
    if line:
        assert line.startswith("--state ") or "in the state is not a date" in line
    else:
        assert 3 <= len(run.records) <= 9


@given(state=json_values(*NAMES))
def test_any_json_is_a_state_or_one_line(state: Any) -> None:
    assert_run_or_one_line(state)


@given(state=mutated(STATE, NAMES))
def test_any_change_of_a_state_is_a_state_or_one_line(state: Any) -> None:
    assert_run_or_one_line(state)


@pytest.mark.parametrize("value", [{"\ud800": {}}, {"bookmarks": {"\ud800": {}}}, "\ud800"])
def test_lone_surrogate_in_a_key_is_one_line(value: object) -> None:
    with pytest.raises(ConfigValidationError, match=r"^--state must be valid Unicode$"):
        checked_state(value, logging.getLogger())


@pytest.mark.parametrize("empty", [None, {}])
def test_empty_part_beside_the_bookmarks_is_ignored(empty: Any) -> None:
    assert rows_with({**STATE, "value": empty}) == rows_with(STATE)
