"""The bookmarks of one version of the API are not used for another one."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.exceptions import ConfigValidationError

from tests.kissmetrics.v3.site import PASSWORD, USERNAME, V3Site

if TYPE_CHECKING:
    from tests.kissmetrics.conftest import Serve
    from tests.kissmetrics.site import Site
    from tests.singer import State

STREAM = "report_results"


@pytest.fixture
def site(serve: Serve) -> Site:
    """Return an account with both versions of the API."""
    return serve(email=USERNAME, password=PASSWORD, sizes={"reports": 2})


@pytest.fixture
def v3(site: Site) -> V3Site:
    """Return the same account, read with version 3."""
    return V3Site(site.api, site.at, site.folder)


def refused(site: Site, state: State) -> list[str]:
    """Return the errors of a run that reads nothing."""
    before = len(site.requested())
    output, error = site.failing_sync(ConfigValidationError, state=state)
    assert output.text == ""
    assert len(site.requested()) == before
    return list(error.errors)


def line(writer: str, reader: str) -> str:
    """Return the error about a state of another version."""
    return (
        f"--state was written with api_version {writer}, whose reports have other ids; for "
        f"{reader}, begin with an empty state and a new schema (see docs/kissmetrics.md), or set "
        f"api_version to {writer}"
    )


def test_state_of_another_version_is_refused_before_the_first_request(
    site: Site, v3: V3Site
) -> None:
    of_core, of_v3 = site.sync(STREAM).state, v3.sync(STREAM).state
    assert refused(v3, of_core) == [line("core", "v3")]
    assert refused(site, of_v3) == [line("v3", "core")]


def test_it_is_reported_with_all_other_problems(site: Site, v3: V3Site) -> None:
    state = site.sync(STREAM).state
    _, error = v3.failing_sync(ConfigValidationError, state=state, page_size=0, metric_ids=["x"])
    assert sorted(error.errors) == [
        line("core", "v3"),
        "metric_ids[0] must be a whole number in api_version v3",
        "page_size must be at least 1",
    ]


def test_a_state_with_both_continues_each_version(site: Site, v3: V3Site) -> None:
    """Nothing is lost and nothing is read twice by whoever has moved the state before."""
    states = {one: one.sync(STREAM, end_date="2024-02-01").state for one in (site, v3)}
    both = copy.deepcopy(states[site])
    both["bookmarks"][STREAM]["partitions"] += states[v3]["bookmarks"][STREAM]["partitions"]
    for one, state in states.items():
        alone, together = (one.sync(STREAM, state=s, lookback_days=0) for s in (state, both))
        keys = [row["row_id"] for row in alone.rows(STREAM)]
        assert keys
        assert [row["row_id"] for row in together.rows(STREAM)] == keys
        others = list(together.state["bookmarks"][STREAM]["partitions"])
        assert all(partition in others for partition in _of_the_other(states, one))


def _of_the_other(states: dict[Any, State], one: Site) -> list[Any]:
    (other,) = (state for site, state in states.items() if site is not one)
    found: list[Any] = other["bookmarks"][STREAM]["partitions"]
    return found


@pytest.mark.parametrize("kept", ["lists", "jobs"])
def test_a_state_without_rows_of_reports_belongs_to_every_version(
    site: Site, v3: V3Site, kept: str
) -> None:
    state = site.sync("accounts", "products", STREAM, end_date="2024-02-01").state
    if kept == "lists":
        del state["bookmarks"][STREAM]
    for partition in state["bookmarks"].get(STREAM, {}).get("partitions", ()):
        del partition["replication_key"], partition["replication_key_value"]
        partition["jobs"] = {"2024-02-01": {"query_id": "1", "asked_on": "2024-02-29"}}
    one_day: dict[str, Any] = {"end_date": "2024-02-01"}
    rows = v3.sync(STREAM, state=state, **one_day).rows(STREAM)
    first = v3.sync(STREAM, **one_day).rows(STREAM)
    assert [r["row_id"] for r in rows] == [r["row_id"] for r in first] != []


def test_raw_exports_alone_accept_every_state(site: Site, v3: V3Site) -> None:
    state = site.sync(STREAM).state
    folder = site.folder / "none"
    exports = [{"product": "shop", "url": str(folder)}]
    own: dict[str, Any] = {"raw_exports": exports, "username": None, "password": None}
    _, error = v3.failing_sync(ConfigValidationError, state=state, api_version=None, **own)
    assert "index.csv is missing" in error.errors[0]
