"""A child stream of the SDK with a parent stream of the kit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from singer_sdk import Stream
from typing_extensions import override

from tests.kit.canned import ID, CannedTap, Run, Table, WholeTable, deselect, run_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context, Record

SITES = Table({"id": ID}, [{"id": 1}, {"id": 2}], name="sites")


class Sites(WholeTable):
    """The parent stream."""

    name = SITES.name
    schema = SITES.schema
    primary_keys = SITES.keys
    table = SITES

    @override
    def get_child_context(self, record: Record, context: Context | None) -> Context | None:
        return {"site": record["id"]}


class Pages(Stream):
    """The child stream, with one page per site."""

    name = "pages"
    schema = Table({"site": ID, "page": ID}, ()).schema
    primary_keys = ("site", "page")
    parent_stream_type = Sites

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        assert context is not None
        yield {"site": context["site"], "page": 7}


class Tap(CannedTap):
    """A tap with a parent stream and its child."""

    @override
    def discover_streams(self) -> list[Any]:
        return [Sites(self, self.run), Pages(self)]


def run_without(*deselected: str) -> Run:
    """Run the tap with these streams deselected."""
    catalog = Tap(config={}).catalog_dict
    for entry in catalog["streams"]:
        if entry["stream"] in deselected:
            deselect({"streams": [entry]}, ())
    return run_of(Tap(config={}, catalog=catalog))


def rows(run: Run) -> list[tuple[str, Any]]:
    return [(message["stream"], message["record"]) for message in run.of("RECORD")]


def test_child_stream_gets_each_record_of_its_parent() -> None:
    done = run_without()
    assert done.error == ""
    assert sorted(map(str, rows(done))) == [
        "('pages', {'site': 1, 'page': 7})",
        "('pages', {'site': 2, 'page': 7})",
        "('sites', {'id': 1})",
        "('sites', {'id': 2})",
    ]


def test_deselected_child_stream_is_not_read() -> None:
    """The rows of the parent are written in chunks then, from which no child can be made."""
    done = run_without("pages")
    assert done.error == ""
    assert rows(done) == [("sites", {"id": 1}), ("sites", {"id": 2})]


def test_deselected_parent_of_a_selected_child_is_an_error() -> None:
    """Otherwise the run would succeed without a row of the child."""
    done = run_without("sites")
    assert done.error == "sites: select this stream too, as its child streams need it"
    assert rows(done) == []
