"""Catalogs that are old, cut off, of another tap, or edited by hand."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from tap_kit import KitTap

from tests.bad_input.test_states import assert_ended_well
from tests.broken import broken
from tests.every_tap import TAPS, Account, EveryTap
from tests.fault_matrix import cells
from tests.fault_matrix.parts import catalog_of, is_selected, settings_of_one_day

if TYPE_CHECKING:
    from tests.fault_matrix.parts import Served
    from tests.processes import Ended

Catalog = dict[str, Any]
# Two APIs of one vendor share streams.
OF_OTHERS = [(tap, other) for tap, other in permutations(TAPS, 2) if other.name != tap.name]
EVERY = 7  # of the wrong catalogs; each path has eleven, so that every path has its turn


def run(tap: EveryTap, account: Account, catalog: Any) -> Ended:
    """Run the command with this catalog, a text or a value."""
    text = catalog if isinstance(catalog, str) else json.dumps(catalog)
    return tap.command(account, catalog=text)


@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_unknown_streams_and_fields_are_ignored_with_a_warning(
    served: Served, tap: EveryTap
) -> None:
    tried = served.tried(tap)
    catalog = catalog_of(tap, tried.account)
    unknown = deepcopy(catalog["streams"][0])
    unknown.update(tap_stream_id="unknown", stream="unknown")
    catalog["streams"].append(unknown)
    for entry in catalog["streams"]:
        entry["metadata"].append(
            {"breadcrumb": ["properties", "unknown"], "metadata": {"selected": True}}
        )
    ended = run(tap, tried.account, catalog)
    cells.require_all_rows(tap, tried.whole, ended)
    assert any("unknown" in warning for warning in ended.warnings)


@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_field_that_the_vendor_does_not_send_is_null(served: Served, tap: EveryTap) -> None:
    account = served.tried(tap).account
    catalog = catalog_of(tap, account)
    for entry in catalog["streams"]:
        entry["schema"]["properties"]["unknown"] = {"type": ["string", "null"]}
    ended = run(tap, account, catalog)
    assert ended.code == 0, ended.stderr[-1000:]
    for stream in ended.output.streams:
        values = {row.get("unknown") for row in ended.output.rows(stream)}
        assert values <= {None}


@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_deselected_key_is_written_nevertheless(served: Served, tap: EveryTap) -> None:
    tried = served.tried(tap)
    catalog = catalog_of(tap, tried.account)
    for entry in catalog["streams"]:
        for item in entry["metadata"]:
            if item["breadcrumb"][1:] and item["breadcrumb"][1] in entry["key_properties"]:
                item["metadata"].update(selected=False)
    ended = run(tap, tried.account, catalog)
    cells.require_all_rows(tap, tried.whole, ended)


@pytest.mark.parametrize(("tap", "other"), OF_OTHERS, ids=str)
def test_catalog_of_another_tap_is_one_error_line(
    served: Served, tap: EveryTap, other: EveryTap
) -> None:
    foreign = catalog_of(other, served.tried(other).account)
    ended = run(tap, served.tried(tap).account, foreign)
    ended.assert_one_error_line("--catalog has no stream of this tap")
    assert ended.output.text == ""


@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_catalog_that_is_cut_off_is_one_error_line(served: Served, tap: EveryTap) -> None:
    account = served.tried(tap).account
    text = json.dumps(catalog_of(tap, account))
    for end in range(0, len(text), len(text) // 12 + 1):
        ended = run(tap, account, text[:end])
        ended.assert_one_error_line("--catalog must be JSON: ")
        assert ended.output.text == ""


@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_no_broken_catalog_is_an_unexpected_error(served: Served, tap: EveryTap) -> None:
    """Two streams are enough: they have every kind of path.

    Each path is tried in a whole run, with one of its wrong values. With the others, the run ends
    when the catalog is accepted and the tap is about to read the streams.
    """
    account = served.tried(tap).account
    account = replace(account, settings=settings_of_one_day(account))
    catalog = small_catalog(tap, account)
    assert run(tap, account, catalog).code == 0
    for number, (path, wrong) in enumerate(broken(catalog)):
        is_whole = number % EVERY == 0
        with nullcontext() if is_whole else patch.object(KitTap, "_sync_streams"):
            ended = run(tap, account, wrong)
        assert_ended_well(tap, None, ended, (path, json.dumps(wrong)[:3000]))


def small_catalog(tap: EveryTap, account: Account) -> Catalog:
    """Return a catalog of a stream with a replication key, and of one without.

    They have their first fields only, and those without which the tap refuses the catalog.
    """
    entries = catalog_of(tap, account)["streams"]
    chosen = [
        next(e for e in entries if ("replication_key" in e) == with_key and is_selected(e))
        for with_key in (True, False)
    ]
    fields = {entry["stream"]: _first_fields(entry) for entry in chosen}
    ended = run(tap, account, {"streams": [_with_fields(e, fields[e["stream"]]) for e in chosen]})
    for error in ended.errors:
        if lacking := re.fullmatch("--catalog lacks (.*) of (.*); run discovery again", error):
            fields[lacking[2]] |= set(lacking[1].split(", "))
    return {"streams": [_with_fields(entry, fields[entry["stream"]]) for entry in chosen]}


def _first_fields(entry: Catalog) -> set[str]:
    keys = [*entry["key_properties"], *filter(None, [entry.get("replication_key")])]
    return set(list(dict.fromkeys([*keys, *entry["schema"]["properties"]]))[:4])


def _with_fields(entry: Catalog, fields: set[str]) -> Catalog:
    """Return the entry of a stream with these fields only."""
    properties = {f: one for f, one in entry["schema"]["properties"].items() if f in fields}
    metadata = [m for m in entry["metadata"] if not m["breadcrumb"] or m["breadcrumb"][1] in fields]
    return {**entry, "schema": {**entry["schema"], "properties": properties}, "metadata": metadata}
