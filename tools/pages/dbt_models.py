"""The models of ``transform/``, made from the taps; ``make pages`` writes them.

A model is one line of SQL; its columns, types, key and tests stand in YAML, as the taps' schemas
have them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml
from typing_extensions import override

from tools.pages.dbt_facts import facts_of
from tools.pages.schemas import kind_of
from tools.workspace import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from singer_sdk import Stream
    from tap_kit.tap import KitTap

    from tools.pages.dbt_facts import Facts

MODELS = ROOT / "transform" / "models"
NOTE = "# `make pages` generates this file from the tap's schemas.\n"
TYPES = {"integer": "bigint", "number": "float8", "boolean": "boolean", "string": "text"}
FORMATS = {"date": "date", "date-time": "timestamptz"}


class Dumper(yaml.SafeDumper):
    """YAML without anchors and aliases."""

    @override
    def ignore_aliases(self, data: object) -> bool:
        """Write repeated values in full."""
        return data is not None


def files(taps: Sequence[type[KitTap]]) -> dict[Path, str]:
    """Return every file of ``transform/models`` and its text."""
    made: dict[Path, str] = {}
    for tap in taps:
        for variant in tap.variants():
            made |= Models(tap, variant, facts_of(tap.name, variant)).files()
    return made


@dataclass(frozen=True)
class Models:
    """The models of one tap, or of one of its variants, which has a folder of its own."""

    tap: type[KitTap]
    variant: str
    facts: Facts

    @property
    def source(self) -> str:
        """The name of the source: the schema that the tap's streams are loaded into."""
        return f"tap_{self.facts.vendor}"

    def files(self) -> dict[Path, str]:
        """Return the tap's files and their texts."""
        config = self.tap.variants()[self.variant]
        streams = list(self.tap(config=config, validate_config=False).streams.values())
        vendor = self.facts.folder
        folder = MODELS / vendor
        models = [self._model(stream) for stream in streams]
        return {
            folder / f"_{vendor}__sources.yml": _yaml({"sources": [self._source(streams)]}),
            folder / f"_{vendor}__models.yml": _yaml({"models": models}),
            **{
                folder / f"{self._name(stream.name)}.sql": (
                    f"{{{{ staged(source('{self.source}', '{stream.name}')) }}}}\n"
                )
                for stream in streams
            },
        }

    def _name(self, stream: str) -> str:
        return f"stg_{self.facts.vendor}__{stream}"

    def _source(self, streams: Sequence[Stream]) -> dict[str, Any]:
        """Where the streams are: a schema of PostgreSQL, or for DuckDB a folder of JSONL files.

        If that is not sure by the name of the tap, since a variant has tables of the same names, a
        variable of dbt says it.
        """
        schema = self.tap.name.replace("-", "_")
        folder = self.tap.name
        if schema != self.source:
            variable = f"var('{self.facts.vendor}_schema')"
            schema, folder = f"{{{{ {variable} }}}}", f"{{{{ {variable} | replace('_', '-') }}}}"
        files = "{{ env_var('ANALYTICS_JSONL', 'output/demo') }}"
        location = (
            f"read_json('{files}/{folder}/{{name}}.jsonl', "
            "format='newline_delimited', maximum_depth=1)"
        )
        return {
            "name": self.source,
            "schema": schema,
            "description": f"The streams that {self.tap.name} loaded.",
            "config": {"meta": {"external_location": location}},
            "tables": [{"name": stream.name} for stream in streams],
        }

    def _model(self, stream: Stream) -> dict[str, Any]:
        key = list(stream.primary_keys)
        title = stream.schema.get("title", f"The stream {stream.name}")
        return {
            "name": self._name(stream.name),
            "description": f"{title}; the newest row of each key.",
            "config": self._config(stream, key),
            "data_tests": [_test("keyed_by", columns=key), *self._tests(stream.name)],
            "columns": list(self._columns(stream)),
        }

    def _config(self, stream: Stream, key: list[str]) -> dict[str, Any]:
        """Return the configuration of a model; without its variable, one is off that has no table.

        A stream that is not selected by default has none.
        """
        variable = f"{self.facts.vendor}_{stream.name}"
        off = {"enabled": f"{{{{ var('{variable}') | as_bool }}}}"}
        return {"meta": {"key": key}} | ({} if stream.selected_by_default else off)

    def _tests(self, stream: str) -> Iterator[dict[str, Any]]:
        if natural := self.facts.natural_keys.get(stream):
            yield _test("keyed_by", columns=natural, nulls=True)
        if windows := self.facts.every_window.get(stream):
            yield _test("windows_follow", **windows)
        if counted := self.facts.counted.get(stream):
            per, counts = counted
            for column, other in counts.items():
                yield _test("counted", column=column, per=per, to=f"ref('{self._name(other)}')")
        if found_in := self.facts.found_in.get(stream):
            other, columns = found_in
            yield _test("found_in", columns=columns, to=f"ref('{self._name(other)}')")

    def _columns(self, stream: Stream) -> Iterator[dict[str, Any]]:
        """Yield a column for each property, and one for the moment of a time that is a text."""
        for name, definition in stream.schema["properties"].items():
            column = {
                "name": name,
                "description": definition.get("description", ""),
                "data_type": _type(definition),
            }
            tests = list(self._column_tests(stream.name, name))
            yield column | ({"data_tests": tests} if tests else {})
            if name in self.facts.times:
                yield {
                    "name": f"{name}_utc",
                    "description": f"{name} as a timestamp; null if the text has another format.",
                    "data_type": "timestamptz",
                    "config": {"meta": {"text_of": name}},
                }

    def _column_tests(self, stream: str, column: str) -> Iterator[dict[str, Any]]:
        if limits := self.facts.ranges.get(column):
            yield _test("between", **limits)
        if relation := self.facts.relations.get((stream, column)):
            other, field = relation
            test = _test("relationships", to=f"ref('{self._name(other)}')", field=field)
            if (stream, column) in self.facts.only_warned:
                test["relationships"]["config"] = {"severity": "warn"}
            yield test


def _test(name: str, **arguments: Any) -> dict[str, Any]:
    return {name: {"arguments": arguments}}


def _type(definition: Mapping[str, Any]) -> str:
    kind = kind_of(definition, "object")
    return FORMATS.get(definition.get("format", ""), TYPES.get(kind, "json"))


def _yaml(content: dict[str, Any]) -> str:
    text: str = yaml.dump(
        {"version": 2, **content}, Dumper=Dumper, sort_keys=False, width=100, allow_unicode=True
    )
    return NOTE + text
