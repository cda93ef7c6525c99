"""Whole runs: settings, days, shards, order, state."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from singer_sdk import typing as th
from singer_sdk.exceptions import ConfigValidationError
from tap_kit.errors import Interrupted
from tap_kit.flow.tasks import WindowTask
from tap_kit.flow.windows import DayRange
from tap_kit.jobs.times import Pace
from tap_kit.rows.chunks import ChunkWriter
from tap_kit.run.settings import common_settings
from typing_extensions import override

from tests.kit.canned import ID, TEXT, CannedTap, Run, Table, run_of, tap_of

if TYPE_CHECKING:
    from singer_sdk.singerlib import Message
    from tap_kit.flow.tasks import Task

DAYS = {"start_date": "2024-01-01", "end_date": "2024-01-05"}
TODAY = datetime.now(tz=timezone.utc).date()
SITES = tuple({"site": number} for number in range(1, 6))


class Reader:
    """Returns rows for each task; counts the reads, and how many run at the same time."""

    def __init__(self, seconds: float = 0.0, rows: int = 1) -> None:
        self.seen: Counter[str] = Counter()
        self.busy = self.most = 0
        self._seconds, self._rows = seconds, rows
        self._lock = threading.Lock()

    def read(self, task: Task) -> list[dict[str, Any]]:
        """Return the rows of one task."""
        with self._lock:
            self.seen[str(task)] += 1
            self.busy += 1
            self.most = max(self.most, self.busy)
        threading.Event().wait(self._seconds)
        with self._lock:
            self.busy -= 1
        day = {"date": task.window.first.isoformat()} if isinstance(task, WindowTask) else {}
        return [{"id": i, **day, **task.partition} for i in range(self._rows)]

    def table(self, name: str = "figures", *, windows: bool = True, **more: Any) -> Table:
        """Return a table that uses this reader."""
        key = "date" if windows else None
        properties = {"id": ID, "date": TEXT, "site": ID}
        return Table(properties, self.read, name=name, replication_key=key, **more)


def tap(*tables: Table, state: dict[str, Any] | None = None, **config: Any) -> CannedTap:
    return tap_of(*tables)(config={**DAYS, **config}, state=state)


def problems(config: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigValidationError) as caught:
        tap_of()(config=config)
    return list(caught.value.errors)


def test_all_invalid_settings_are_reported_together_without_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wrong = {"shard": "2/2", "window_days": 0, "start_date": "x", "state_intervall": 5}
    assert sorted(line.split(" ")[0] for line in problems(wrong)) == sorted(wrong)
    assert caplog.messages == []


def test_config_error_has_all_problems_in_its_text() -> None:
    with pytest.raises(ConfigValidationError) as caught:
        tap_of()(config={"shard": "2/2", "window_days": 0})
    assert str(caught.value) == "; ".join(caught.value.errors)
    assert len(caught.value.errors) == 2


def test_tap_leaves_its_logger_unchanged() -> None:
    before = list(CannedTap.logger.filters)
    for _ in range(3):
        tap_of()(config=DAYS)
    assert CannedTap.logger.filters == before


def test_discovery_needs_no_valid_settings() -> None:
    made = tap_of(Reader().table())(config={"window_days": "x"}, validate_config=False)
    assert [entry["tap_stream_id"] for entry in made.catalog_dict["streams"]] == ["figures"]


def test_settings_that_are_null_have_their_default() -> None:
    settings = dict.fromkeys([*CannedTap.config_jsonschema["properties"]])
    config = tap_of()(config=settings).config
    assert config["window_days"] == 1
    assert config["max_concurrency"] == 4
    assert config["state_interval"] == 10
    assert "start_date" not in config


@pytest.mark.parametrize(
    "settings",
    [
        {"flattening_enabled": True, "flattening_max_depth": 1},
        {"stream_maps": {"figures": {"x": "id"}}, "stream_map_config": {"a": 1}},
        {"emit_activate_version_messages": True},
        {"faker_config": {"seed": 1}},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_settings_of_the_sdk_are_known(settings: dict[str, Any]) -> None:
    assert tap(Reader().table(), **settings).config.items() >= settings.items()


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, DayRange(TODAY - timedelta(days=30), TODAY, 1, 0)),
        ({"start_date": "2024-01-01"}, DayRange(date(2024, 1, 1), TODAY, 1, 0)),
        ({"start_date": "2024-01-01T23:00:00-05:00"}, DayRange(date(2024, 1, 2), TODAY, 1, 0)),
        (DAYS, DayRange(date(2024, 1, 1), date(2024, 1, 5), 1, 0)),
        ({**DAYS, "end_date": "2999-01-01"}, DayRange(date(2024, 1, 1), TODAY, 1, 0)),
        (
            {**DAYS, "window_days": 7, "lookback_days": 3},
            DayRange(date(2024, 1, 1), date(2024, 1, 5), 7, 3),
        ),
    ],
)
def test_day_range_follows_from_the_settings(config: dict[str, Any], expected: DayRange) -> None:
    assert tap_of()(config=config).run.day_range() == expected


def test_rows_come_in_plan_order_with_any_concurrency() -> None:
    outputs = []
    for workers in (1, 3, 8):
        tables = [Reader(0.001).table(name, partitions=SITES) for name in ("a", "b")]
        outputs.append(run_of(tap(*tables, max_concurrency=workers)).messages)
    assert outputs[0] == outputs[1] == outputs[2]


def test_all_workers_are_busy_across_partitions_windows_and_streams() -> None:
    reader = Reader(0.01)
    tables = [reader.table(name, partitions=SITES[:2]) for name in ("a", "b", "c")]
    done = run_of(tap(*tables, max_concurrency=6, end_date="2024-01-02"))
    assert len(done.records) == 12
    assert reader.most == 6
    assert set(reader.seen.values()) == {1}


@pytest.mark.parametrize("shards", [1, 2, 3, 7])
def test_shards_together_read_what_one_run_reads(shards: int) -> None:
    """Streams without partitions between the others must not discard what was read ahead."""

    def shard(text: str) -> tuple[list[Any], Counter[str]]:
        reader = Reader()
        tables = [
            reader.table("a", partitions=SITES),
            reader.table("b", windows=False),
            reader.table("c", partitions=SITES),
            reader.table("d"),
            reader.table("e", partitions=({"site": 6},)),
            reader.table("f", partitions=SITES),
        ]
        done = run_of(tap(*tables, shard=text, max_concurrency=4))
        return [(m["stream"], m["record"]) for m in done.of("RECORD")], reader.seen

    whole, _ = shard("0/1")
    parts = [shard(f"{index}/{shards}") for index in range(shards)]
    assert sorted(map(str, whole)) == sorted(str(row) for rows, _ in parts for row in rows)
    for _, seen in parts:
        assert set(seen.values()) <= {1}


def states(done: Run) -> list[dict[str, Any]]:
    return [message["value"].get("bookmarks", {}) for message in done.of("STATE")]


def test_bookmark_is_the_first_day_of_the_last_window_even_without_rows() -> None:
    for rows in (0, 1):
        done = run_of(tap(Reader(rows=rows).table(), window_days=2))
        assert states(done)[-1]["figures"] == {
            "replication_key": "date",
            "replication_key_value": "2024-01-05",
        }


def test_resumed_run_starts_at_the_bookmark_minus_the_lookback() -> None:
    first = run_of(tap(Reader().table(), end_date="2024-01-03"))
    reader = Reader()
    state = {"bookmarks": states(first)[-1]}
    done = run_of(tap(reader.table(), state=state, lookback_days=1))
    assert list(reader.seen) == [f"figures, 2024-01-0{day}" for day in (2, 3, 4, 5)]
    assert states(done)[-1]["figures"]["replication_key_value"] == "2024-01-05"


def test_bookmark_that_is_not_a_date_is_one_line() -> None:
    entry = {"replication_key": "date", "replication_key_value": "last week"}
    done = run_of(tap(Reader().table(), state={"bookmarks": {"figures": entry}}))
    assert done.error == (
        "figures: the bookmark in the state is not a date; repair or clear the state"
    )


class Clock:
    """A clock that advances with every record that is written."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, step_s: float) -> None:
        self.now = 1000.0
        write = ChunkWriter.write_message

        def writing(writer: ChunkWriter, message: Message) -> None:
            self.now += step_s if message.type == "RECORD" else 0
            write(writer, message)

        monkeypatch.setattr(ChunkWriter, "write_message", writing)
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


@pytest.mark.parametrize(("interval", "rows_between"), [(1, 1), (10, 4), (9, 3), (60, 20)])
def test_bookmarks_are_written_every_state_interval(
    interval: int, rows_between: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    Clock(monkeypatch, step_s=3)
    done = run_of(tap(Reader().table(), end_date="2024-02-29", state_interval=interval))
    kinds = "".join(m["type"][0] for m in done.messages if m["type"] in {"RECORD", "STATE"})
    assert kinds.count("R") == 60
    inner = [len(part) for part in kinds.split("S")]
    assert max(inner) == rows_between
    assert min(inner[:-3]) == rows_between
    assert done.messages[-1]["type"] == "STATE"


def test_stopped_run_ends_between_two_windows_with_its_bookmark() -> None:
    reader = Reader()
    made = tap(reader.table())

    def read(task: WindowTask) -> list[dict[str, Any]]:
        if task.window.first.day == 3:
            made.run.stop.set()
        return reader.read(task)

    made.streams["figures"].table = Table({"id": ID, "date": TEXT}, read)  # type: ignore[attr-defined]
    done = run_of(made)
    assert done.error == "the run is being stopped"
    assert done.messages[-1]["type"] == "STATE"
    read_days = [record["date"] for record in done.records]
    reached = states(done)[-1].get("figures", {}).get("replication_key_value", "")
    assert [day for day in read_days if day <= reached] == [
        day for day in ("2024-01-01", "2024-01-02", "2024-01-03") if day <= reached
    ], "everything that the bookmark covers was written"
    assert len([day for day in read_days if day > reached]) <= 1, "at most one window is read again"


def test_nothing_is_written_when_access_is_refused() -> None:
    class Refused(CannedTap):
        tables = (Reader().table(),)

        @override
        def check_access(self) -> str:
            message = "api_token was rejected"
            raise ConfigValidationError(message, errors=[message])

    with pytest.raises(ConfigValidationError):
        run_of(Refused(config=DAYS))


def test_user_agent_has_a_default_and_a_setting() -> None:
    assert tap_of()(config=DAYS).run.user_agent.startswith("tap-canned/")
    assert tap_of()(config={**DAYS, "user_agent": "me/1"}).run.user_agent == "me/1"


def test_job_runner_follows_from_the_settings_and_ends_with_the_run() -> None:
    class Tap(CannedTap):
        config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
            *common_settings(lookback_days=0),
            th.Property("poll_interval_ms", th.IntegerType),
            th.Property("poll_timeout", th.IntegerType),
        ).to_dict()

    made = Tap(config={"poll_interval_ms": 250, "poll_timeout": 90})
    runner = made.run.job_runner(longest_s=30, growth=2)
    assert runner.pace == Pace(first_s=0.25, longest_s=30, timeout_s=90, growth=2)
    made.run.stop.set()
    with pytest.raises(Interrupted):
        runner.sleep(60)
