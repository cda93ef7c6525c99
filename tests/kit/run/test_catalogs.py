"""Problems of a catalog, and what is ignored in it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.singerlib import Catalog
from tap_kit.flow.tasks import Task
from tap_kit.rows.check import ResponseFields
from tap_kit.run.catalogs import catalog_problems
from typing_extensions import override

from tests.kit.canned import ID, NUMBER, TEXT, CannedStream, CannedTap, Table, run_of, tap_of
from tests.kit.run.test_command_line import ended, errors, file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DAYS = {"start_date": "2024-01-01", "end_date": "2024-01-01"}
FIGURES = Table(
    {"id": ID, "date": TEXT, "share": NUMBER},
    [{"id": 1, "date": "2024-01-01", "share": 0.5}],
    replication_key="date",
)
NAMES = Table({"id": ID, "name": TEXT}, [{"id": 2, "name": "a"}], name="names")
Change = tuple[str, "Callable[[dict[str, Any]], Any]"]  # of the entry of that stream


def catalog_of(*changes: Change) -> dict[str, Any]:
    """Return the catalog of the tap with these changes."""
    catalog = tap_of(FIGURES, NAMES)(config=DAYS).catalog_dict
    entries = {entry["tap_stream_id"]: entry for entry in catalog["streams"]}
    for stream, change in changes:
        change(entries[stream])
    return catalog


def tap_with(catalog: dict[str, Any] | None, tap: type[CannedTap] | None = None) -> CannedTap:
    """Return the tap with this catalog."""
    made = Catalog.from_dict(catalog) if catalog is not None else None
    return (tap or tap_of(FIGURES, NAMES))(config=DAYS, catalog=made)


def problems_of(tap: CannedTap) -> list[str]:
    """Return the problems of the catalog of a tap."""
    return list(catalog_problems(tap.input_catalog, tap.streams, tap.logger))


def problems(*changes: Change) -> list[str]:
    """Return the problems of the changed catalog."""
    return problems_of(tap_with(catalog_of(*changes)))


def remove(*fields: str) -> Callable[[dict[str, Any]], Any]:
    """Return a change that removes these fields from the schema and the metadata."""

    def change(entry: dict[str, Any]) -> None:
        for field in fields:
            del entry["schema"]["properties"][field]
        entry["metadata"] = [m for m in entry["metadata"] if m["breadcrumb"][-1:] != [*fields]]

    return change


def deselect(entry: dict[str, Any]) -> None:
    """Deselect the stream."""
    entry["metadata"] = [{"breadcrumb": [], "metadata": {"selected": False}}]


def test_discovered_catalog_has_no_problem(caplog: pytest.LogCaptureFixture) -> None:
    assert problems() == []
    assert (problems_of(tap_with(None))) == []
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_catalog_of_another_tap_is_one_problem() -> None:
    catalog = catalog_of()
    for entry in catalog["streams"]:
        entry["tap_stream_id"] += "_of_others"
    found = problems_of(tap_with(catalog))
    assert found == ["--catalog has no stream of this tap; run discovery again"]


def test_catalog_without_a_selected_stream_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert (problems_of(tap_with({"streams": []}))) == []
    assert problems(("figures", deselect), ("names", deselect)) == []
    assert caplog.messages == ["--catalog selects no stream, so nothing is read"] * 2


def test_unknown_streams_are_logged_and_ignored(caplog: pytest.LogCaptureFixture) -> None:
    catalog = catalog_of()
    for name in ("zones", "areas"):
        catalog["streams"].append({**catalog["streams"][0], "tap_stream_id": name, "stream": name})
    done = run_of(tap_with(catalog))
    assert done.error == ""
    assert {message["stream"] for message in done.of("RECORD")} == {"figures", "names"}
    logged = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert logged == ["Ignoring unknown streams in --catalog: areas, zones"]


def test_catalog_need_not_have_every_stream() -> None:
    catalog = catalog_of()
    catalog["streams"] = [e for e in catalog["streams"] if e["tap_stream_id"] == "names"]
    assert (problems_of(tap_with(catalog))) == []
    remove("id")(catalog["streams"][0])
    assert (problems_of(tap_with(catalog))) == ["--catalog lacks id of names; run discovery again"]


def test_renamed_stream_is_a_problem() -> None:
    assert problems(("names", lambda entry: entry.update(stream="Names"))) == [
        "--catalog renames the stream names; run discovery again"
    ]


def test_stream_without_its_own_name_has_no_problem() -> None:
    assert problems(("names", lambda entry: entry.pop("stream"))) == []


def test_keys_and_replication_key_are_required() -> None:
    changes = ("figures", remove("id", "date")), ("names", remove("id"))
    assert problems(*changes) == [
        "--catalog lacks date, id of figures; run discovery again",
        "--catalog lacks id of names; run discovery again",
    ]


@pytest.mark.parametrize("definition", [{}, {"type": []}], ids=str)
def test_replication_key_needs_a_type(definition: dict[str, Any]) -> None:
    """The SDK checks whether it is a date-time, and fails if there is no type."""
    change = ("figures", lambda entry: entry["schema"]["properties"].update(date=definition))
    assert problems(change) == ["--catalog lacks date of figures; run discovery again"]


@pytest.mark.parametrize("wrong", [[], {}, 5], ids=str)
def test_format_that_is_no_text_is_one_line(
    wrong: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The SDK looks it up in a set, so a list would be an unexpected error."""
    change = ("figures", lambda entry: entry["schema"]["properties"]["date"].update(format=wrong))
    code, run = ended(tap_of(FIGURES, NAMES), "--catalog", file(tmp_path, catalog_of(change)))
    assert (code, run.text) == (1, "")
    (line,) = errors(caplog)
    assert line.startswith("--catalog must be a Singer catalog: Expected `str | null`, got ")
    assert line.endswith(" - at `$.streams[0].schema.properties[...].format`")


def test_other_fields_can_be_missing() -> None:
    assert problems(("figures", remove("share")), ("names", remove("name"))) == []


def test_deselected_stream_is_not_checked() -> None:
    gone = ("figures", remove("id", "date"))
    renamed = ("figures", lambda entry: entry.update(stream="other"))
    assert problems(gone, renamed, ("figures", deselect)) == []


def test_unknown_fields_are_logged_and_ignored(caplog: pytest.LogCaptureFixture) -> None:
    def select(entry: dict[str, Any]) -> None:
        for name in ("width", "height"):
            selected = {"breadcrumb": ["properties", name], "metadata": {"selected": True}}
            entry["metadata"].append(selected)

    assert problems(("figures", select)) == []
    assert caplog.messages == ["Ignoring unknown fields of figures in --catalog: height, width"]


def test_invalid_catalog_ends_the_run_before_the_first_request() -> None:
    changes = ("figures", remove("id")), ("names", remove("id"))
    tap = tap_with(catalog_of(*changes))
    calls: list[int] = []

    def check_access() -> str:
        calls.append(1)
        return ""

    tap.check_access = check_access  # type: ignore[method-assign]
    with pytest.raises(ConfigValidationError) as caught:
        run_of(tap)
    assert caught.value.errors == [
        "--catalog lacks id of figures; run discovery again",
        "--catalog lacks id of names; run discovery again",
    ]
    assert str(caught.value) == "; ".join(caught.value.errors)
    assert calls == []


class ShapedStream(CannedStream[Task]):
    """A stream with computed, input and raw fields."""

    name = "shaped"
    schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"id": ID, "site": ID, "label": TEXT, "raw": TEXT, "more": TEXT},
    }
    primary_keys = ("id",)
    response_fields = ResponseFields(
        computed=("site",), inputs=("label", "not_always"), raw_types={"raw": ID}, ignored=("more",)
    )
    table = Table({}, ())


class ShapedTap(CannedTap):
    """A tap with that stream."""

    @override
    def discover_streams(self) -> list[Any]:
        return [ShapedStream(self, self.run)]


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        (("site",), "site"),
        (("label",), "label"),
        (("label", "site"), "label, site"),
        (("raw",), ""),
        (("more",), ""),
    ],
)
def test_computed_and_input_fields_are_required(fields: tuple[str, ...], missing: str) -> None:
    catalog = ShapedTap(config=DAYS).catalog_dict
    remove(*fields)(catalog["streams"][0])
    found = problems_of(tap_with(catalog, ShapedTap))
    line = f"--catalog lacks {missing} of shaped; run discovery again"
    assert found == ([line] if missing else [])


def test_schema_without_properties_lacks_the_keys() -> None:
    lines = problems(("figures", lambda entry: entry.update(schema={"type": "object"})))
    assert lines == ["--catalog lacks date, id of figures; run discovery again"]


@pytest.mark.parametrize("kind", ["null", ["null"]], ids=str)
def test_key_cannot_have_only_the_type_null(kind: Any) -> None:
    change = ("names", lambda entry: entry["schema"]["properties"]["id"].update(type=kind))
    assert problems(change)[-1:] == [
        "--catalog has only the type null for id of names; run discovery again"
    ]


def tap_with_fields(fields: ResponseFields) -> type[CannedTap]:
    """Return a tap with that stream, but with other fields of responses."""
    stream = type("Other", (ShapedStream,), {"response_fields": fields})

    class Other(CannedTap):
        @override
        def discover_streams(self) -> list[Any]:
            return [stream(self, self.run)]

    return Other


LABEL_TAP = tap_with_fields(ResponseFields(computed=("label",)))
WHOLE_TAP = tap_with_fields(ResponseFields(all_computed=True))


@pytest.mark.parametrize(
    ("tap", "field", "kind", "is_wrong"),
    [
        (ShapedTap, "site", ["integer"], False),
        (ShapedTap, "site", ["number", "null"], False),  # an integer is a number
        (ShapedTap, "site", ["string", "null"], True),
        (
            ShapedTap,
            "label",
            ["integer", "null"],
            False,
        ),  # of the response, whose values are checked
        (LABEL_TAP, "label", ["string"], False),  # the check of the rows writes no null then
        (WHOLE_TAP, "label", ["string"], True),  # its null would not fit
        (WHOLE_TAP, "label", ["number", "null"], True),
        (WHOLE_TAP, "label", ["string", "null"], False),
        (WHOLE_TAP, "site", ["number"], False),
        (WHOLE_TAP, "site", ["string"], True),
    ],
)
def test_values_that_the_tap_makes_fit_the_types_of_the_catalog(
    tap: type[CannedTap],
    field: str,
    kind: list[str],
    is_wrong: bool,  # noqa: FBT001
) -> None:
    catalog = tap(config=DAYS).catalog_dict
    catalog["streams"][0]["schema"]["properties"][field]["type"] = kind
    line = f"--catalog has other types of {field} of shaped; run discovery again"
    assert problems_of(tap_with(catalog, tap)) == ([line] if is_wrong else [])
