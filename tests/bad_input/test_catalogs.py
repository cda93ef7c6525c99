"""Catalogs that are old, cut off, of another tap, or edited by hand."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from tests.bad_input.test_states import assert_ended_well
from tests.broken import broken
from tests.every_tap import TAPS, Account, EveryTap, short_pauses
from tests.fault_matrix import cells

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.processes import Ended

Catalog = dict[str, Any]


@pytest.fixture(autouse=True)
def _short_pauses() -> Iterator[None]:
    with short_pauses():
        yield


def catalog_of(tap: EveryTap, account: Account) -> Catalog:
    """Return the account's catalog, or the one that discovery makes."""
    found: Catalog = account.catalog or tap.tap(config=account.settings).catalog_dict
    return deepcopy(found)


def run(tap: EveryTap, account: Account, catalog: Any) -> Ended:
    """Run the command with this catalog, a text or a value."""
    text = catalog if isinstance(catalog, str) else json.dumps(catalog)
    return tap.command(account, catalog=text)


@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_unknown_streams_and_fields_are_ignored_with_a_warning(tap: EveryTap) -> None:
    with tap.serving() as account:
        whole = cells.undisturbed(tap, account)
        catalog = catalog_of(tap, account)
        unknown = deepcopy(catalog["streams"][0])
        unknown.update(tap_stream_id="unknown", stream="unknown")
        catalog["streams"].append(unknown)
        for entry in catalog["streams"]:
            entry["metadata"].append(
                {"breadcrumb": ["properties", "unknown"], "metadata": {"selected": True}}
            )
        ended = run(tap, account, catalog)
        cells.require_all_rows(tap, whole, ended)
        assert any("unknown" in warning for warning in ended.warnings)


@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_field_that_the_vendor_does_not_send_is_null(tap: EveryTap) -> None:
    with tap.serving() as account:
        catalog = catalog_of(tap, account)
        for entry in catalog["streams"]:
            entry["schema"]["properties"]["unknown"] = {"type": ["string", "null"]}
        ended = run(tap, account, catalog)
        assert ended.code == 0, ended.stderr[-1000:]
        for stream in ended.output.streams:
            values = {row.get("unknown") for row in ended.output.rows(stream)}
            assert values <= {None}


@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_deselected_key_is_written_nevertheless(tap: EveryTap) -> None:
    with tap.serving() as account:
        whole = cells.undisturbed(tap, account)
        catalog = catalog_of(tap, account)
        for entry in catalog["streams"]:
            for item in entry["metadata"]:
                if item["breadcrumb"][1:] and item["breadcrumb"][1] in entry["key_properties"]:
                    item["metadata"].update(selected=False)
        ended = run(tap, account, catalog)
        cells.require_all_rows(tap, whole, ended)


@pytest.mark.parametrize("other", TAPS, ids=str)
@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_catalog_of_another_tap_is_one_error_line(tap: EveryTap, other: EveryTap) -> None:
    if other.name == tap.name:  # two APIs of one vendor share streams
        return
    with other.serving() as account:
        foreign = catalog_of(other, account)
    with tap.serving() as account:
        ended = run(tap, account, foreign)
    ended.assert_one_error_line("--catalog has no stream of this tap")
    assert ended.output.text == ""


@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_catalog_that_is_cut_off_is_one_error_line(tap: EveryTap) -> None:
    with tap.serving() as account:
        text = json.dumps(catalog_of(tap, account))
        for end in range(0, len(text), len(text) // 12 + 1):
            ended = run(tap, account, text[:end])
            ended.assert_one_error_line("--catalog must be JSON: ")
            assert ended.output.text == ""


@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_no_broken_catalog_ends_in_a_traceback(tap: EveryTap) -> None:
    """Two streams are enough: they have every kind of path."""
    with tap.serving() as account:
        catalog = catalog_of(tap, account)
        catalog["streams"] = [_small(entry) for entry in catalog["streams"][:2]]
        for path, wrong in broken(catalog):
            ended = run(tap, account, wrong)
            assert_ended_well(tap, None, ended, (path, json.dumps(wrong)[:3000]))


def _small(entry: Catalog) -> Catalog:
    """Return a stream's entry with its first fields only."""
    keys = [
        *entry["key_properties"],
        *([entry["replication_key"]] if "replication_key" in entry else []),
    ]
    fields = list(dict.fromkeys([*keys, *entry["schema"]["properties"]]))[:4]
    properties = {f: entry["schema"]["properties"][f] for f in fields}
    metadata = [m for m in entry["metadata"] if not m["breadcrumb"] or m["breadcrumb"][1] in fields]
    return {**entry, "schema": {**entry["schema"], "properties": properties}, "metadata": metadata}
