"""The models of ``transform/``, made from the taps; ``make pages`` writes them.

A model is one line of SQL; its columns, types, key and tests stand in YAML, as the taps' schemas
have them. What a schema cannot say (how streams relate) is said here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml
from typing_extensions import override

from tools.workspace import ROOT, TAPS, tap_class

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from singer_sdk import Stream
    from tap_kit.tap import KitTap

MODELS = ROOT / "transform" / "models"
NOTE = "# Made from the tap's schemas by `make pages`; a test compares.\n"
LEFT_OUT = {"raw_brand_posts"}  # not selected by default, so not loaded

BREAKDOWNS = ("pages", "entry_pages", "sources", "referrers", "countries", "goals")
BY_DAY = ["domain_id", "segment", "date"]
# What tells the rows of a stream apart in the vendor's own words, beside the key that is a hash.
NATURAL_KEYS: Mapping[str, list[str]] = {
    "pages": [*BY_DAY, "address"],
    "entry_pages": [*BY_DAY, "address"],
    "sources": [*BY_DAY, "source", "medium"],
    "referrers": [*BY_DAY, "url", "domain"],
    "goals": [*BY_DAY, "name", "kind"],
    "report_results": ["report_id", "start_date", "row_number"],
}
# (stream, column) -> the stream in which it is found, by which column.
RELATIONS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("current_visitors", "domain_id"): ("domains", "id"),
    ("domain_stats", "domain_id"): ("domains", "id"),
    **{(stream, "domain_id"): ("domains", "id") for stream in BREAKDOWNS},
    ("products", "account_id"): ("accounts", "id"),
    ("reports", "account_id"): ("accounts", "id"),
    ("reports", "product_id"): ("products", "id"),
    ("events", "product_id"): ("products", "id"),
    ("properties", "product_id"): ("products", "id"),
    ("metrics", "product_id"): ("products", "id"),
    ("report_results", "product_id"): ("products", "id"),
    ("report_results", "report_id"): ("reports", "id"),
    ("response", "conversation_id"): ("conversation", "conversation_id"),
}
# A response can be to a conversation that no window of the run has: a word, not a failure.
ONLY_WARNED = {("response", "conversation_id")}
RANGES: Mapping[str, Mapping[str, int]] = {
    "bounce": {"least": 0, "most": 100},
    "percentage": {"least": 0, "most": 100},
    "visitors": {"least": 0},
    "conversions": {"least": 0},
}
# Streams that have rows for every window, so that a window without any was lost.
EVERY_WINDOW: Mapping[str, Mapping[str, Any]] = {
    "domain_stats": {"first": "date", "last": "date_to", "per": ["domain_id", "segment"]},
    **{
        stream: {"first": "window_start", "last": "window_end", "dates": False}
        for stream in ("team_performance", "team_performance_interval", "user")
    },
}
# Texts that are times in the setting `timezone`; each gets a column with the moment beside it.
TIMES = {
    "date_claimed",
    "lsw_responded_to_post_published_time",
    "lsw_responded_to_post_received_time",
    "response_published_date",
}
TYPES = {"integer": "bigint", "number": "float8", "boolean": "boolean", "string": "text"}
FORMATS = {"date": "date", "date-time": "timestamptz"}


class Dumper(yaml.SafeDumper):
    """YAML without references: what is said twice is written twice."""

    @override
    def ignore_aliases(self, data: object) -> bool:
        """Write everything in full."""
        return data is not None


def files() -> dict[Path, str]:
    """Every file of ``transform/models`` and its text."""
    made = {}
    for tap in map(tap_class, TAPS):
        source = tap.name.replace("-", "_")
        vendor = source.removeprefix("tap_")
        streams = [s for s in _streams(tap) if s.name not in LEFT_OUT]
        folder = MODELS / vendor
        made[folder / f"_{vendor}__sources.yml"] = _yaml({"sources": [_source(tap, streams)]})
        models = [_model(vendor, stream) for stream in streams]
        made[folder / f"_{vendor}__models.yml"] = _yaml({"models": models})
        for stream in streams:
            sql = f"{{{{ staged(source('{source}', '{stream.name}')) }}}}\n"
            made[folder / f"{_name(vendor, stream.name)}.sql"] = sql
    return made


def _streams(tap: type[KitTap]) -> list[Stream]:
    return list(tap(validate_config=False).streams.values())


def _name(vendor: str, stream: str) -> str:
    return f"stg_{vendor}__{stream}"


def _source(tap: type[KitTap], streams: list[Stream]) -> dict[str, Any]:
    """Where the streams are: a schema of PostgreSQL, or for DuckDB a folder of JSONL files."""
    folder = "{{ env_var('ANALYTICS_JSONL', 'output/demo') }}"
    location = (
        f"read_json('{folder}/{tap.name}/{{name}}.jsonl', "
        "format='newline_delimited', maximum_depth=1)"
    )
    schema = tap.name.replace("-", "_")
    return {
        "name": schema,
        "schema": schema,
        "description": f"The streams that {tap.name} loaded.",
        "config": {"meta": {"external_location": location}},
        "tables": [{"name": stream.name} for stream in streams],
    }


def _model(vendor: str, stream: Stream) -> dict[str, Any]:
    key = list(stream.primary_keys)
    tests: list[dict[str, Any]] = [_test("keyed_by", columns=key)]
    if natural := NATURAL_KEYS.get(stream.name):
        tests.append(_test("keyed_by", columns=natural, nulls=True))
    if windows := EVERY_WINDOW.get(stream.name):
        tests.append(_test("windows_follow", **windows))
    if stream.name in BREAKDOWNS:
        stats = f"ref('{_name(vendor, 'domain_stats')}')"
        tests.append(_test("found_in", columns=BY_DAY, to=stats))
    return {
        "name": _name(vendor, stream.name),
        "description": f"{stream.schema['title']}; the newest row of each key.",
        "config": {"meta": {"key": key}},
        "data_tests": tests,
        "columns": list(_columns(vendor, stream)),
    }


def _columns(vendor: str, stream: Stream) -> Iterator[dict[str, Any]]:
    """A column for each property, and one for the moment of a time that is a text."""
    for name, definition in stream.schema["properties"].items():
        column = {
            "name": name,
            "description": definition["description"],
            "data_type": _type(definition),
        }
        tests = _column_tests(vendor, stream.name, name)
        yield column | ({"data_tests": tests} if tests else {})
        if name in TIMES:
            yield {
                "name": f"{name}_utc",
                "description": f"{name} as a timestamp; null if the text has another format.",
                "data_type": "timestamptz",
                "config": {"meta": {"text_of": name}},
            }


def _column_tests(vendor: str, stream: str, column: str) -> list[dict[str, Any]]:
    tests = []
    if limits := RANGES.get(column):
        tests.append(_test("between", **limits))
    if relation := RELATIONS.get((stream, column)):
        other, field = relation
        test = _test("relationships", to=f"ref('{_name(vendor, other)}')", field=field)
        if (stream, column) in ONLY_WARNED:
            test["relationships"]["config"] = {"severity": "warn"}
        tests.append(test)
    return tests


def _test(name: str, **arguments: Any) -> dict[str, Any]:
    return {name: {"arguments": arguments}}


def _type(definition: Mapping[str, Any]) -> str:
    kinds = definition["type"]
    kind = kinds if isinstance(kinds, str) else kinds[0]
    return FORMATS.get(definition.get("format", ""), TYPES.get(kind, "json"))


def _yaml(content: dict[str, Any]) -> str:
    text: str = yaml.dump(
        {"version": 2, **content}, Dumper=Dumper, sort_keys=False, width=100, allow_unicode=True
    )
    return NOTE + text
