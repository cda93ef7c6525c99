"""The rows of a window: the clock, the end, the report types, the filters."""

from datetime import date, datetime, timezone
from typing import Any

import pytest
from sandbox.khoros import Khoros

from .client import DAY, DAY_MS, Client
from .conftest import NOON, Serve

HOUR_MS = 3_600_000
EVENTS = (
    *("combined", "conversation_actions", "conversation_history_action", "author"),
    *("incoming_post", "response", "raw_agent_states", "raw_expert_help", "raw_brand_posts"),
)


def ids(rows: list[dict[str, str | None]]) -> list[str | None]:
    return [row["CONVERSATION_ID"] for row in rows]


@pytest.mark.parametrize("export", EVENTS)
def test_a_day_has_the_configured_number_of_distinct_rows(client: Client, export: str) -> None:
    rows = client.rows(export)
    assert len(rows) == 40
    assert len({tuple(row.values()) for row in rows}) == 40
    assert client.khoros.data.count(export, DAY, DAY + DAY_MS - 1) == 40


@pytest.mark.parametrize(("inclusive", "rows"), [(True, 1), (False, 0)])
def test_the_window_can_include_or_exclude_its_end(
    serve: Serve, rows: int, *, inclusive: bool
) -> None:
    client = serve(inclusive_end=inclusive)
    midnight = {"startTime": str(DAY), "endTime": str(DAY)}
    assert len(client.rows("author", **midnight)) == rows
    last = {"startTime": str(DAY + DAY_MS - 1), "endTime": str(DAY + DAY_MS - 1)}
    assert len(client.rows("author", **last)) == rows


def test_windows_that_include_their_end_share_a_row_at_midnight(serve: Serve) -> None:
    both = {"startTime": str(DAY), "endTime": str(DAY + DAY_MS)}
    for inclusive, expected in ((True, 41), (False, 40)):
        assert len(serve(inclusive_end=inclusive).rows("author", **both)) == expected


def test_the_time_zone_does_not_change_the_window(client: Client) -> None:
    usual = client.rows("author")
    chicago = client.rows("author", timezone="America/Chicago")
    assert [row["AUTHOR_ID"] for row in chicago] == [row["AUTHOR_ID"] for row in usual]
    assert usual[0]["AUTHOR_LAST_SEEN"] == "2026-04-20 00:00:00"
    assert chicago[0]["AUTHOR_LAST_SEEN"] == "2026-04-19 19:00:00"


def test_there_are_no_rows_before_the_first_day_or_after_now(serve: Serve) -> None:
    client = serve(since=date(2026, 4, 21))
    ever = {"startTime": "0", "endTime": "16823555400000"}  # the end of a sample
    rows = client.rows("author", **ever)
    assert len(rows) == 10 * 40 + 21  # the last one at noon of 1 May
    assert rows[0]["AUTHOR_LAST_SEEN"] == "2026-04-21 00:00:00"
    assert rows[-1]["AUTHOR_LAST_SEEN"] == "2026-05-01 12:00:00"
    client.khoros.clock.advance(3600)
    assert len(client.rows("author", **ever)) == 10 * 40 + 22


def test_days_can_be_empty(serve: Serve) -> None:
    client = serve(empty_days=[date(2026, 4, 20)])
    assert client.export("author").text == "[]"
    csv = client.export("author", reportFormat="csv")
    assert csv.text.startswith("Author ID,Author Name,")
    assert csv.text.count("\n") == 1


def test_report_types_select_by_created_and_closed_date(client: Client) -> None:
    created = client.rows("conversation", conversationReportType="CREATED")
    closed = client.rows("conversation", conversationReportType="CLOSED")
    still_open = client.rows("conversation", conversationReportType="OPEN_AT_END")
    assert len(created) == 40
    assert all((row["CREATED_DATE"] or "") < "2026-04-21" for row in still_open)
    assert all((row["CREATED_DATE"] or "").startswith("2026-04-20") for row in created)
    assert all((row["CLOSED_DATE"] or "").startswith("2026-04-20") for row in closed)
    assert any((row["CREATED_DATE"] or "") < "2026-04-20" for row in closed)
    assert {row["STATUS"] for row in closed} == {"CLOSED"}
    assert {(row["STATUS"], row["CLOSED_DATE"]) for row in still_open} == {("OPEN", None)}
    assert {row["STATUS"] for row in created} == {"OPEN", "CLOSED"}


def test_the_default_report_type_is_open_at_end(client: Client) -> None:
    default = client.rows("conversation")
    assert default == client.rows("conversation", conversationReportType="OPEN_AT_END")
    assert [job.start.report_type for job in client.khoros.jobs] == ["OPEN_AT_END"] * 2


@pytest.mark.parametrize("inclusive", [True, False])
def test_created_conversations_are_the_closed_and_the_open_ones(
    serve: Serve, *, inclusive: bool
) -> None:
    client = serve(inclusive_end=inclusive, since=date(2026, 4, 15))
    data, first, last = client.khoros.data, date(2026, 4, 15), date(2026, 4, 25)
    got = {
        name: ids(data.rows("conversation", first, last, conversationReportType=name))
        for name in ("CREATED", "CLOSED", "OPEN_AT_END")
    }
    assert len(set(got["CREATED"])) == len(got["CREATED"])
    assert set(got["CREATED"]) == set(got["CLOSED"]) | set(got["OPEN_AT_END"])
    assert not set(got["CLOSED"]) & set(got["OPEN_AT_END"])


def test_open_at_end_does_not_depend_on_the_start(client: Client) -> None:
    later = {"startTime": str(DAY + 20 * HOUR_MS)}
    assert client.rows("conversation", **later) == client.rows("conversation")


@pytest.mark.parametrize(
    ("filters", "column", "values"),
    [
        ({"priorities": "4,5"}, "PRIORITY", {"4", "5"}),
        ({"priorities": "0"}, "PRIORITY", {"0"}),
        ({"workqueueIds": "102"}, "WORK_QUEUE_ID", {"102"}),
        ({"smartViewId": "11"}, "PRIORITY", {"4", "5"}),
        ({"smartViewId": "12"}, "WORK_QUEUE_ID", {"101"}),
    ],
)
def test_filters_exclude_rows(
    client: Client, filters: dict[str, str], column: str, values: set[str]
) -> None:
    everything, some = client.rows("incoming_post"), client.rows("incoming_post", **filters)
    assert some == [row for row in everything if row[column] in values]
    assert 0 < len(some) < len(everything)


def test_business_hours_filter_inside_outside_or_all(client: Client) -> None:
    def hours(**parameters: str) -> set[int]:
        rows = client.rows("incoming_post", **parameters)
        return {int((row["POST_RECEIVED_TIME"] or "")[11:13]) for row in rows}

    enabled = {"enableBusinessHour": "true"}
    inside, outside = set(range(9, 17)), {*range(9), *range(17, 24)}
    assert hours(**enabled, businessHourType="true") == inside
    assert hours(**enabled, businessHourType="false") == outside
    assert hours(**enabled) == inside | outside
    assert hours(smartViewId="13", **enabled, businessHourType="false") == inside
    sunday = {"startTime": str(DAY - DAY_MS), "endTime": str(DAY - 1)}
    assert hours(**sunday, **enabled, businessHourType="true") == set()


def test_team_filters_select_teams(client: Client) -> None:
    rows = client.rows("raw_agent_states", teamIds="301,303")
    assert {row["TEAM_ID"] for row in rows} == {"301", "303"}
    assert {row["TEAM_ID"] for row in client.rows("user", teamId=["301", "303"])} == {"301", "303"}
    assert client.rows("user", teamId="999") == []


def test_disabled_agents_are_included_on_request(client: Client) -> None:
    for export, few, all_of_them in (
        ("user", 10, 12),
        ("team_performance", 10, 12),
        ("team_performance_interval", 240, 288),
        ("response_approval", 34, 40),
    ):
        assert len(client.rows(export)) == few
        assert len(client.rows(export, includeDisabled="false")) == few
        assert len(client.rows(export, includeDisabled="true")) == all_of_them


def test_agent_and_team_filters_combine(client: Client) -> None:
    rows = client.rows("user", agentId=["70001", "70002"], teamId="301")
    assert [row["AGENT_ID"] for row in rows] == ["70001"]


def test_only_the_times_of_users_depend_on_the_window(client: Client) -> None:
    day, hour = client.rows("user"), client.rows("user", endTime=str(DAY + HOUR_MS))
    none = client.rows("user", endTime=str(DAY))
    assert len(day) == len(hour) == len(none) == 10
    changed = {name for name in day[0] if day[0][name] != hour[0][name]}
    assert changed == {name for name in day[0] if name.startswith("TOTAL_")}
    assert none[0]["TOTAL_CONSOLE_LOGGED_IN_TIME_MILLIS"] == "0"


def test_figures_of_adjoining_windows_add_up(client: Client) -> None:
    data = client.khoros.data

    def responses(start: int, end: int) -> list[int]:
        rows = data.rows("team_performance", start, end)
        return [int(row["RESPONSES"] or "") for row in rows]

    noon = DAY + DAY_MS // 2
    halves = zip(responses(DAY, noon), responses(noon, DAY + DAY_MS), strict=True)
    assert [one + two for one, two in halves] == responses(DAY, DAY + DAY_MS)


@pytest.mark.parametrize(("raised", "count"), [(None, 500), ("false", 500), ("true", 2000)])
def test_actions_are_truncated_without_a_warning(
    serve: Serve, raised: str | None, count: int
) -> None:
    client = serve(long_actions=2100, rows_per_day=8)
    rows = client.rows("conversation_history_action", raiselimit=raised)
    assert len(rows) == 8 + count
    longest = [row for row in rows if row["CONVERSATION_ID"] == rows[-1]["CONVERSATION_ID"]]
    assert [row["ACTION_ORDER"] for row in longest] == [str(n) for n in range(1, count + 1)]
    assert len({row["ACTION_ID"] for row in rows}) == len(rows)


def test_a_conversation_below_the_limit_is_complete(serve: Serve) -> None:
    client = serve(long_actions=499, rows_per_day=0)
    assert client.rows("conversation_history_action") == []
    client.khoros.rows_per_day = 1
    assert len(client.rows("conversation_history_action")) == 500


@pytest.mark.parametrize("moment", [NOON, NOON.replace(tzinfo=None), NOON.astimezone(timezone.utc)])
def test_the_clock_stops_at_its_time(moment: datetime) -> None:
    assert Khoros(now=moment).clock.now == NOON


def test_sizes_can_differ_by_export(serve: Serve) -> None:
    client = serve(rows_per_day={"author": 3, "user": 30, "response": 0})
    sizes: dict[str, Any] = {name: len(client.rows(name)) for name in ("author", "combined")}
    assert sizes == {"author": 3, "combined": 40}
    assert len(client.rows("user", includeDisabled="true")) == 30
    assert client.rows("response") == []
