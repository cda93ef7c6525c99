"""Anomalies of what the user gives: states, catalogs, the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.anomalies.anomaly import Anomaly
from tests.anomalies.vendors import KINDMETRICS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.processes import Ended

STATES, CATALOGS = "States", "Catalogs"
ENVIRONMENT = "The environment"


def bookmarks(*partitions: Mapping[str, Any]) -> dict[str, Any]:
    """Return a state with these partitions of ``pages``."""
    return {"bookmarks": {"pages": {"partitions": [*partitions]}}}


PART = {
    "context": {"domain_id": 1, "segment": "all"},
    "replication_key": "date",
    "replication_key_value": "2024-02-04",
}


def _state(what: str, must: str, state: Any, rows: int, *says: str, code: int = 0) -> Anomaly:
    return Anomaly(
        STATES,
        KINDMETRICS,
        what,
        must,
        streams=["pages"],
        state=state,
        code=code,
        settings={"lookback_days": 0},
        rows={"pages": rows},
        says=says,
    )


def _catalog(what: str, must: str, edit: Callable[[dict[str, Any]], None]) -> Anomaly:
    return Anomaly(
        CATALOGS,
        KINDMETRICS,
        what,
        must,
        streams=["pages"],
        edit=edit,
        rows={"pages": 10},
        check=_has_keys,
    )


def _has_keys(ended: Ended) -> bool:
    schema = next(one for one in ended.output.messages if one["type"] == "SCHEMA")
    needed = {"row_id", "date"}
    rows = ended.output.rows("pages")
    return needed <= schema["schema"]["properties"].keys() and all(needed <= r.keys() for r in rows)


def _metadata(**changes: Any) -> Callable[[dict[str, Any]], None]:
    """Return an edit of the metadata of all fields; a change to ``...`` removes it."""

    def edit(catalog: dict[str, Any]) -> None:
        for entry in catalog["streams"]:
            for one in entry["metadata"]:
                if one["breadcrumb"]:
                    merged = {**one["metadata"], **changes}
                    one["metadata"] = {k: v for k, v in merged.items() if v is not ...}

    return edit


def _without(*names: str) -> Callable[[dict[str, Any]], None]:
    def edit(catalog: dict[str, Any]) -> None:
        for entry in catalog["streams"]:
            for name in names:
                entry.pop(name, None)

    return edit


def _without_key_fields(catalog: dict[str, Any]) -> None:
    for entry in catalog["streams"]:
        for field in ("row_id", "date"):
            del entry["schema"]["properties"][field]
        entry["metadata"] = [m for m in entry["metadata"] if m["breadcrumb"][-1:] != ["row_id"]]


def _environment(
    what: str,
    must: str,
    environment: Mapping[str, str],
    *says: str,
    code: int = 0,
    rows: int = 10,
    **more: Any,
) -> Anomaly:
    found = {"TAP_KINDMETRICS_API_URL": "{url}", **environment}
    settings = {"api_url": ..., **more.pop("settings", {})}
    return Anomaly(
        ENVIRONMENT,
        KINDMETRICS,
        what,
        must,
        streams=more.pop("streams", ["pages"]),
        environment=found,
        code=code,
        settings=settings,
        says=says,
        rows={} if code else {"pages": rows},
        **more,
    )


T = "TAP_KINDMETRICS_"
TLS = {f"{T}API_URL": "https://127.0.0.1:9"}
FILES = (
    _state("a partition twice, equal", "one line", bookmarks(PART, PART), 0, "pages twice", code=1),
    _state(
        "a partition twice, different",
        "one line",
        bookmarks(PART, {**PART, "replication_key_value": "2024-02-02"}),
        0,
        "pages twice",
        code=1,
    ),
    _state("in `singer_state`", "the state is used", {"singer_state": bookmarks(PART)}, 4),
    _state(
        "in `completed`", "the state is used", {"completed": {"singer_state": bookmarks(PART)}}, 4
    ),
    _state("a STATE message", "the state is used", {"type": "STATE", "value": bookmarks(PART)}, 4),
    _state("a list", "one line", [], 0, "--state", code=1),
    _state(
        "a bookmark that is no date",
        "one line",
        bookmarks({**PART, "replication_key_value": "soon"}),
        0,
        "pages",
        code=1,
    ),
    _catalog("no `inclusion`", "the keys are there", _metadata(inclusion=...)),
    _catalog(
        "keys deselected, without `inclusion`",
        "the keys are there",
        _metadata(inclusion="available", selected=False),
    ),
    _catalog("keys unsupported", "the keys are there", _metadata(inclusion="unsupported")),
    _catalog("no `key_properties`", "the keys are there", _without("key_properties")),
    Anomaly(
        CATALOGS,
        KINDMETRICS,
        "the key is not in the schema",
        "one line that names the fields",
        streams=["pages"],
        edit=_without_key_fields,
        code=1,
        says=["row_id", "run discovery"],
    ),
    _environment(
        "numbers with commas for a list",
        "one line that names the variable",
        {f"{T}DOMAIN_IDS": "1,6"},
        "domain_ids",
        f"{T}DOMAIN_IDS",
        code=1,
    ),
    _environment(
        "a word for a number",
        "one line that names the variable",
        {f"{T}WINDOW_DAYS": "one"},
        "window_days",
        f"{T}WINDOW_DAYS",
        code=1,
    ),
    _environment(
        "an integer of 5,000 digits",
        "one line that names the variable",
        {f"{T}WINDOW_DAYS": "9" * 5000},
        "window_days",
        code=1,
    ),
    _environment("an empty variable", "as unset", {f"{T}DOMAIN_IDS": "", f"{T}WINDOW_DAYS": " "}),
    _environment(
        "an empty list",
        "one line",
        {f"{T}DOMAIN_IDS": "[]"},
        "domain_ids must not be empty",
        code=1,
    ),
    _environment(
        "`.env` has another value than the environment",
        "the environment wins",
        {f"{T}END_DATE": "2024-02-02"},
        rows=4,
        dotenv=f"{T}END_DATE=2024-02-04\n",
        settings={"end_date": ...},
    ),
    _environment(
        "a value only in `.env`",
        "it is used",
        {},
        rows=6,
        dotenv=f"{T}END_DATE=2024-02-03\n",
        settings={"end_date": ...},
    ),
    _environment(
        "`REQUESTS_CA_BUNDLE` that names no file",
        "one line that names the variable",
        {"REQUESTS_CA_BUNDLE": "/nowhere/ca.pem", **TLS},
        "REQUESTS_CA_BUNDLE",
        code=1,
    ),
    _environment(
        "`CURL_CA_BUNDLE` that names no file",
        "one line that names the variable",
        {"CURL_CA_BUNDLE": "/nowhere/ca.pem", "REQUESTS_CA_BUNDLE": "", **TLS},
        "CURL_CA_BUNDLE",
        code=1,
    ),
    _environment(
        "a proxy that is not there",
        "one line that names the proxy",
        {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"},
        "proxy",
        "HTTP_PROXY",
        code=1,
    ),
    _environment(
        "a SOCKS proxy",
        "one line that names the proxy",
        {"ALL_PROXY": "socks5://127.0.0.1:9", "all_proxy": "socks5://127.0.0.1:9"},
        "SOCKS",
        code=1,
    ),
)
