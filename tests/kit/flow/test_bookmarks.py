"""Bookmarks that stand for whole windows."""

import pytest
from singer_sdk.helpers.types import TapState
from tap_kit.flow.bookmarks import WindowBookmarks, read_bookmark

PART = {"domain_id": 1, "segment": "all"}
OTHER = {"domain_id": 2, "segment": "all"}


def bookmarks(state: TapState) -> WindowBookmarks:
    return WindowBookmarks(
        tap_name="tap-canned",
        stream_name="figures",
        tap_state=state,
        state_partitioning_keys=None,
        is_sorted=False,
        check_sorted=True,
    )


def test_advance_writes_key_and_value_of_the_partition() -> None:
    state: TapState = {}
    manager = bookmarks(state)
    manager.advance(PART, "date", "2024-01-01")
    manager.advance(OTHER, "date", "2024-01-02")
    manager.advance(PART, "date", "2024-01-03")
    entry = {"replication_key": "date"}
    assert state["bookmarks"]["figures"]["partitions"] == [
        {"context": PART, **entry, "replication_key_value": "2024-01-03"},
        {"context": OTHER, **entry, "replication_key_value": "2024-01-02"},
    ]


def test_advance_without_a_partition_writes_to_the_stream() -> None:
    state: TapState = {}
    bookmarks(state).advance(None, "date", "2024-01-01")
    assert state == {
        "bookmarks": {"figures": {"replication_key": "date", "replication_key_value": "2024-01-01"}}
    }


@pytest.mark.parametrize("earlier", ["2024-01-04", "2023-12-31", "2024-01-05"])
def test_bookmark_never_moves_back(earlier: str) -> None:
    state: TapState = {}
    manager = bookmarks(state)
    manager.advance(PART, "date", "2024-01-05")
    manager.advance(PART, "date", earlier)
    assert read_bookmark(state, "figures", PART, "date") == "2024-01-05"


def test_bookmark_of_another_replication_key_is_replaced() -> None:
    entry = {"replication_key": "updated_at", "replication_key_value": "2030-01-01"}
    state: TapState = {"bookmarks": {"figures": entry}}
    assert read_bookmark(state, "figures", None, "date") is None
    bookmarks(state).advance(None, "date", "2024-01-05")
    assert read_bookmark(state, "figures", None, "date") == "2024-01-05"


def test_record_does_not_advance_a_bookmark() -> None:
    state: TapState = {}
    manager = bookmarks(state)
    manager.increment_state({"date": "2024-02-01"}, context=PART, replication_key="date")
    manager.write_starting_replication_value(PART, "date")
    assert read_bookmark(state, "figures", PART, "date") is None


def test_reading_a_bookmark_does_not_change_the_state() -> None:
    state: TapState = {}
    assert read_bookmark(state, "figures", PART, "date") is None
    assert state == {}
    bookmarks(state).advance(OTHER, "date", "2024-01-01")
    before = repr(state)
    assert read_bookmark(state, "figures", PART, "date") is None
    assert read_bookmark(state, "other", PART, "date") is None
    assert repr(state) == before


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"bookmarks": {}},
        {"bookmarks": {"figures": {}}},
        {"bookmarks": {"figures": {"partitions": []}}},
        {"bookmarks": {"figures": {"partitions": [{"context": PART}]}}},
        {"bookmarks": {"figures": {"partitions": [{"context": OTHER}]}}},
        {"bookmarks": {"figures": {"replication_key": "date", "replication_key_value": "x"}}},
    ],
)
def test_missing_bookmark_is_none(state: TapState) -> None:
    assert read_bookmark(state, "figures", PART, "date") is None


def test_order_of_keys_in_a_partition_does_not_matter() -> None:
    state: TapState = {}
    bookmarks(state).advance(PART, "date", "2024-01-01")
    turned = {"segment": "all", "domain_id": 1}
    assert read_bookmark(state, "figures", turned, "date") == "2024-01-01"
