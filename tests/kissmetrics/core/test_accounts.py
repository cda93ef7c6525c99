"""Accounts are read whole; those that changed since the last run are written."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.kissmetrics import PageRules
from tap_kit import SyncFailed

from tests.kissmetrics.canned import Canned

if TYPE_CHECKING:
    from tests.kissmetrics.conftest import Serve
    from tests.kissmetrics.site import Site
    from tests.singer import State

TIMES = ["2024-01-05T00:00:00Z", "2024-01-02T00:00:00Z", "2024-01-03T01:00:00+01:00"]


def accounts(*times: Any) -> dict[str, Any]:
    """Return the responses with accounts that changed at these times."""
    found = [{"id": f"a{number}", "updated_at": time} for number, time in enumerate(times)]
    return {"/core/accounts": found}


def reached(value: Any) -> State:
    """Return a state with this bookmark."""
    mark = {"replication_key": "updated_at", "replication_key_value": value}
    return {"bookmarks": {"accounts": mark}}


def written(times: list[Any], state: State | None = None) -> tuple[list[str], Any]:
    """Return the times of the accounts that a run writes, and its bookmark."""
    with Canned(accounts(*times)) as server:
        output = server.sync("accounts", state=state)
    mark = output.state["bookmarks"].get("accounts", {}).get("replication_key_value")
    return [row["updated_at"] for row in output.rows("accounts")], mark


def test_first_run_writes_all_accounts_and_bookmarks_the_newest() -> None:
    assert written(TIMES) == (TIMES, "2024-01-05T00:00:00+00:00")


def test_second_run_writes_the_accounts_that_changed() -> None:
    """The newest one is written again: another may have changed in the same second."""
    newer = [*TIMES, "2024-01-07T00:00:00Z"]
    assert written(newer, reached("2024-01-05T00:00:00+00:00")) == (
        [TIMES[0], newer[-1]],
        "2024-01-07T00:00:00+00:00",
    )


@pytest.mark.parametrize("mark", ["2024-01-03T00:00:00Z", "2024-01-02T20:00:00-04:00"])
def test_times_are_compared_as_times_not_as_texts(mark: str) -> None:
    assert written(TIMES, reached(mark))[0] == [TIMES[0], TIMES[2]]


def test_bookmark_never_moves_back() -> None:
    assert written(TIMES, reached("2025-01-01T00:00:00+00:00")) == ([], "2025-01-01T00:00:00+00:00")


def test_changed_account_on_any_page_is_written(serve: Serve) -> None:
    site = serve(sizes={"accounts": 25}, pages=PageRules(max_limit=4))
    before = site.sync("accounts")
    assert len(before.rows("accounts")) == 25
    newest = max(row["updated_at"] for row in before.rows("accounts"))
    assert before.state["bookmarks"]["accounts"]["replication_key_value"][:19] == newest[:19]
    after = site.sync("accounts", state=before.state)
    assert [row["updated_at"] for row in after.rows("accounts")] == [newest]
    assert after.state == before.state


def test_full_table_replication_writes_all_accounts_in_every_run(site: Site) -> None:
    catalog = site.catalog("accounts")
    (entry,) = [one for one in catalog["streams"] if one["stream"] == "accounts"]
    entry["metadata"][0]["metadata"]["forced-replication-method"] = "FULL_TABLE"
    entry["replication_method"] = "FULL_TABLE"
    state = reached("2999-01-01T00:00:00+00:00")
    assert len(site.sync(catalog=catalog, state=state).rows("accounts")) == 2


@pytest.mark.parametrize("value", ["yesterday", 5, "2024-01-05T00:00:00", "", []], ids=str)
def test_bookmark_that_is_not_a_time_fails_with_one_clear_error(value: Any) -> None:
    with pytest.raises(SyncFailed) as caught:
        written(TIMES, reached(value))
    problem = "the bookmark in the state is not a date-time with an offset"
    assert str(caught.value) == f"accounts: {problem}"


@pytest.mark.parametrize(
    "value",
    [
        *("yesterday", "2024-01-05T00:00:00", None, 5, "missing"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),
    ],
)
def test_account_without_a_usable_updated_at_is_written_and_moves_no_bookmark(value: Any) -> None:
    odd = {"id": "a9", "updated_at": value}
    if value == "missing":
        del odd["updated_at"]
    known = {"id": "a1", "updated_at": TIMES[0]}
    with Canned({"/core/accounts": [odd, known]}) as server:
        output = server.sync("accounts")
        again = server.sync("accounts", state=output.state)
    for one in (output, again):
        assert {row["id"] for row in one.rows("accounts")} == {"a1", "a9"}
        mark = one.state["bookmarks"]["accounts"]["replication_key_value"]
        assert mark == "2024-01-05T00:00:00+00:00"


def test_change_in_the_future_does_not_hide_later_ones() -> None:
    first, second = {"id": "a1", "updated_at": "2999-01-01T00:00:00Z"}, {"id": "a2"}
    with Canned({"/core/accounts": [first, second]}) as server:
        state = server.sync("accounts").state
        second["updated_at"] = datetime.now(timezone.utc).isoformat()
        again = server.sync("accounts", state=state)
    assert {row["id"] for row in again.rows("accounts")} == {"a1", "a2"}


def test_bookmark_in_the_future_is_an_error() -> None:
    with pytest.raises(SyncFailed, match="accounts: the bookmark in the state is in the future;"):
        written(TIMES, reached("2999-01-01T00:00:00+00:00"))


@pytest.mark.parametrize("contact", [None, {}, {"name": "Zoë"}])
def test_missing_parts_of_a_contact_are_null(contact: Any) -> None:
    record = {"id": "a1", "updated_at": TIMES[0], "contact": contact}
    with Canned({"/core/accounts": [record]}) as server:
        (row,) = server.sync("accounts").rows("accounts")
    given = (contact or {}).get("name")
    assert [row[f"contact_{f}"] for f in ("name", "country", "phone")] == [given, None, None]
