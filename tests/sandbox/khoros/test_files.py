"""The contents of files: columns, names, cells, formats, sizes."""

import csv
import io
from datetime import date, datetime, timezone
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

import pytest
import requests
from sandbox.khoros import Khoros, places
from sandbox.khoros.catalog import EXPORTS

from .client import DAY, DAY_MS, Client
from .conftest import NOON, Serve

CSV = {"reportFormat": "csv"}


def table(response: requests.Response) -> list[list[str]]:
    return list(csv.reader(io.StringIO(response.content.decode(), newline="")))


@pytest.mark.parametrize("export", EXPORTS)
def test_both_formats_have_the_expected_rows(client: Client, export: str) -> None:
    more = {"timeInterval": "3600000"} if export.endswith("_interval") else {}
    data, (start, end) = client.khoros.data, client.window
    assert client.rows(export) == data.rows(export, start, end, **more)
    header, *lines = table(client.export(export, **CSV))
    expected = data.rows(export, start, end, reportFormat="csv", **more)
    assert lines == [[cell or "" for cell in row.values()] for row in expected]
    assert len(header) == len(lines[0])


@pytest.mark.parametrize("export", EXPORTS)
def test_all_cells_are_text_or_null(client: Client, export: str) -> None:
    rows = client.rows(export)
    assert {type(cell) for row in rows for cell in row.values()} <= {str, type(None)}
    assert list(rows[0]) == list(client.khoros.data.enabled_columns(export))


def test_difficult_text_occurs(client: Client) -> None:
    cells = {cell for row in client.rows("incoming_post") for cell in row.values()}
    text = "".join(cell or "" for cell in cells)
    for sign in ('"', ",", "\n", "\r\n", "🎉", "👨‍👩‍👧", "\u2028", "\\", "東"):
        assert sign in text
    assert {"", "null", None} <= cells
    assert "\0" not in text


def test_headers_are_display_names_in_the_requested_language(client: Client) -> None:
    metrics = {"reportMetrics": ["CONVERSATION_ID", "STATUS", "ASSIGNED_AGENT_DISPLAY_ID"]}
    english = table(client.export("conversation", **CSV, **metrics))
    german = table(client.export("conversation", **CSV, **metrics, locale="de"))
    assert english[0] == ["Conversation ID", "Status", "Assignee ID"]
    assert german[0] == ["Konversations-ID", "Status", "ID des Bearbeiters"]
    assert english[1:] == german[1:]
    headers = set(table(client.export("response", **CSV))[0])
    assert {
        *("Responding Agent Name", "Date Claimed or Assigned", "Response Type"),
        *("Response Provider", "Post Responded to Published Time", "LSW Conversation Link"),
        *("Post Responded to Content", "Response Content"),
    } <= headers


@pytest.mark.parametrize(
    ("style", "keys"),
    [
        ("metric", ["CONVERSATION_ID", "RESPONDING_AGENT_NAME"]),
        ("camel", ["conversationId", "respondingAgentName"]),
        ("display", ["Conversation ID", "Responding Agent Name"]),
    ],
)
def test_json_keys_have_three_styles(serve: Serve, style: str, keys: list[str]) -> None:
    client = serve(key_style=style)
    requested = ["CONVERSATION_ID", "RESPONDING_AGENT_NAME"]
    assert list(client.rows("response", reportMetrics=requested)[0]) == keys
    assert table(client.export("response", **CSV, reportMetrics=requested))[0] == [
        "Conversation ID",
        "Responding Agent Name",
    ]


def test_requested_columns_keep_their_order_and_may_be_disabled(client: Client) -> None:
    requested = ["RESPONSE_LOCATION", "CONVERSATION_ID"]
    assert "RESPONSE_LOCATION" not in client.rows("response")[0]
    rows = client.rows("response", reportMetrics=requested)
    assert list(rows[0]) == requested
    whole = client.rows("response")
    assert [row["CONVERSATION_ID"] for row in rows] == [row["CONVERSATION_ID"] for row in whole]


def test_lower_case_ids_are_accepted_only_in_the_export_of_the_samples(client: Client) -> None:
    requested = ["agent_name", "AGENT_ID"]
    rows = client.rows("raw_agent_states", reportMetrics=requested)
    assert list(rows[0]) == ["AGENT_NAME", "AGENT_ID"]
    assert client.create("user", reportMetrics="agent_name").status_code == 400


def test_milliseconds_are_in_json_only(client: Client) -> None:
    (row, *_), header = client.rows("user"), table(client.export("user", **CSV))[0]
    assert "TOTAL_MOBILE_TIME_MILLIS" in row
    assert "Total Mobile Time" in header
    assert not any("Millis" in name for name in header)


def test_the_columns_of_the_tenant_are_configurable(serve: Serve) -> None:
    client = serve(columns={"author": ["AUTHOR_ID", "CUSTOM_FIELD"]})
    assert list(client.rows("author")[0]) == ["AUTHOR_ID", "CUSTOM_FIELD"]
    assert len({row["CUSTOM_FIELD"] for row in client.rows("author")}) == 40
    assert table(client.export("author", **CSV))[0] == ["Author ID", "Custom Field"]
    assert list(client.rows("author", reportMetrics="AUTHOR_NAME")[0]) == ["AUTHOR_NAME"]


def test_a_column_can_exist_from_a_day_on(serve: Serve) -> None:
    late = {"author": {"AUTHOR_EMAIL": date(2026, 4, 20), "NEWER": date(2026, 4, 21)}}
    client = serve(late_columns=late)
    before = {"startTime": str(DAY - DAY_MS), "endTime": str(DAY)}
    after = {"startTime": str(DAY), "endTime": str(DAY + 2 * DAY_MS)}
    old, middle, new = (list(client.rows("author", **w)[0]) for w in (before, {}, after))
    assert middle == [*old, "AUTHOR_EMAIL"]
    assert new == [*middle, "NEWER"]


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en", "2026-04-20 00:00:00"),
        ("en_US", "04/20/2026 00:00:00"),
        ("de", "20.04.2026 00:00:00"),
        ("tr", "20.04.2026 00:00:00"),
        ("fr", "20/04/2026 00:00:00"),
        ("es", "20/04/2026 00:00:00"),
    ],
)
def test_times_have_the_format_of_the_locale(client: Client, locale: str, text: str) -> None:
    assert client.rows("author", locale=locale)[0]["AUTHOR_LAST_SEEN"] == text


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ({}, "2026-04-20 02:00:00"),
        ({"timezoneOffset": "-3600000"}, "2026-04-19 23:00:00"),
        ({"timezone": "Asia/Kolkata"}, "2026-04-20 05:30:00"),
        ({"timezone": "UTC", "timezoneOffset": "3600000"}, "2026-04-20 00:00:00"),
    ],
    ids=str,
)
def test_times_are_in_the_requested_zone_or_in_that_of_the_company(
    serve: Serve, zone: dict[str, str], text: str
) -> None:
    client = serve(company_timezone="Europe/Berlin")
    assert client.rows("author", **zone)[0]["AUTHOR_LAST_SEEN"] == text


def test_csv_can_begin_with_a_byte_order_mark(serve: Serve) -> None:
    client = serve(has_bom=True)
    assert client.export("author", **CSV).content.startswith(b"\xef\xbb\xbfAuthor ID,")
    assert client.export("author").content.startswith(b"[{")


@pytest.mark.parametrize("form", ["json", "csv"])
@pytest.mark.parametrize("rows", [999, 1000, 1001, 10_007, 100_001])
def test_large_days_have_all_rows_once(serve: Serve, form: str, rows: int) -> None:
    client = serve(rows_per_day=rows)
    response = client.export("author", reportFormat=form, reportMetrics="AUTHOR_ID")
    lines = (
        table(response)[1:] if form == "csv" else [list(row.values()) for row in response.json()]
    )
    assert len(lines) == rows
    assert len({line[0] for line in lines}) == rows
    assert int(response.headers["Content-Length"]) == len(response.content)
    assert client.khoros.data.count("author", *client.window) == rows


@pytest.mark.parametrize("kind", ["CREATED", "CLOSED", "OPEN_AT_END"])
@pytest.mark.parametrize("rows", [7, 2503])
def test_the_length_is_correct_for_conversations_too(serve: Serve, kind: str, rows: int) -> None:
    client = serve(rows_per_day=rows, since=date(2026, 4, 18))
    response = client.export("conversation", conversationReportType=kind)
    expected = client.khoros.data.rows("conversation", *client.window, conversationReportType=kind)
    assert response.json() == expected
    assert int(response.headers["Content-Length"]) == len(response.content)


@pytest.mark.parametrize("form", ["json", "csv"])
def test_a_million_rows_are_streamed_in_pieces(form: str) -> None:
    columns = {"response": EXPORTS["response"].columns[:20]}
    data = Khoros(now=NOON, rows_per_day=1_000_000, columns=columns).data
    file = data.recipe(data.query("response", DAY, DAY + DAY_MS - 1, reportFormat=form))()
    size = largest = 0
    for piece in file.pieces():
        size += len(piece)
        largest = max(largest, len(piece))
    assert size == file.length > 2 * 10**8
    assert largest < 2_000_000


def test_expected_rows_accept_times_in_any_form() -> None:
    data = Khoros(now=NOON).data
    day = datetime(2026, 4, 20, tzinfo=timezone.utc)
    forms: tuple[Any, ...] = (date(2026, 4, 20), day, day.replace(tzinfo=None), DAY)
    starts = {data.query("author", form, DAY + DAY_MS).start for form in forms}
    assert starts == {DAY}


def test_without_time_zone_data_the_standard_offset_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(_key: str) -> None:
        raise ZoneInfoNotFoundError

    monkeypatch.setattr(places, "ZoneInfo", missing)
    row = Khoros(now=NOON).data.rows("author", DAY, DAY, timezone="America/Chicago")[0]
    assert row["AUTHOR_LAST_SEEN"] == "2026-04-19 18:00:00"
