"""The tap: its settings, its streams and the columns of each."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from singer_sdk import typing as th
from singer_sdk.exceptions import ConfigValidationError
from tap_kit import KitTap
from typing_extensions import override

from tap_khoros_analytics import discovery, look_ups, settings
from tap_khoros_analytics.column_store import column_store
from tap_khoros_analytics.exports import streams
from tap_khoros_analytics.exports.columns import (
    attested_types,
    columns_from,
    columns_of,
    deselect_beside,
    fields_of,
    key_of,
    known_columns,
    with_types,
)
from tap_khoros_analytics.exports.definitions import EXPORTS, export_options
from tap_khoros_analytics.exports.tenant import TEAMS, Tenant
from tap_khoros_analytics.exports.types import TEXT, TYPES
from tap_khoros_analytics.vendor_checks import vendor_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from singer_sdk import Stream
    from tap_kit import Config

    from tap_khoros_analytics.column_store import ColumnStore
    from tap_khoros_analytics.exports.definitions import Export
    from tap_khoros_analytics.exports.spellings import Column


class TapKhorosAnalytics(KitTap):
    """Reads the exports of Khoros Care analytics: conversations, responses, agents, teams."""

    name = "tap-khoros-analytics"
    config_jsonschema = th.PropertiesList(*settings.SETTINGS).to_dict()

    @cached_property
    def _learned_types(self) -> dict[str, dict[str, str]]:
        """The types of the tenant's fields, by export; discovery fills it."""
        return {}

    @cached_property
    def tenant(self) -> Tenant:
        """The tenant that this run reads."""
        return Tenant(self.run)

    @override
    def setup_mapper(self) -> None:
        """Prepare a run; discovery alone does without this.

        Raises:
            ConfigValidationError: if the run would learn types, which nothing keeps for the next.
        """
        if self._column_store is None and self._learns_types():
            problem = (
                "column_types: typed needs a place for the types that discovery learns, or they "
                "could change between runs: set discovery_folder, or pass a catalog"
            )
            raise ConfigValidationError(problem, errors=[problem])
        super().setup_mapper()

    def _learns_types(self) -> bool:
        is_typed = self._can_discover() and discovery.learns_types(self.config)
        return is_typed and any(self._given_columns(one) is None for one in EXPORTS.values())

    @override
    def discover_streams(self) -> list[Stream]:
        columns = self._columns()
        return [
            *(
                streams.ExportStream(self, self.tenant, export, columns[export.id])
                for export in EXPORTS.values()
            ),
            look_ups.Teams(self, self.tenant),
            look_ups.Timezones(self, self.tenant),
        ]

    def _columns(self) -> dict[str, list[Column]]:
        """Return the columns of each export: given ones, the tenant's, or the known ones."""
        given = {export.id: self._given_columns(export) for export in EXPORTS.values()}
        columns = {i: list(known_columns(i)) if c is None else c for i, c in given.items()}
        missing = [export for export in EXPORTS.values() if given[export.id] is None]
        if missing and self._can_discover():
            is_json = self.config["report_format"] == "json"
            headers = self._headers(missing)
            columns |= {
                export.id: discovery.columns_in(headers[export.id], export, is_json=is_json)
                for export in missing
            }
        if self.input_catalog is not None:
            return columns  # which has their types
        return {i: self._typed(i, found) for i, found in columns.items()}

    def _typed(self, export_id: str, columns: Sequence[Column]) -> list[Column]:
        """Return columns with the types that are learned, documented and in the settings."""
        types: dict[str, str] = {}
        if self.config.get("column_types") == "typed":
            types = {**self._learned_types.get(export_id, {}), **attested_types(export_id)}
        given = export_options(self.config, export_id).get("types", {})
        chosen = {name: kind for name, kind in given.items() if kind in TYPES}
        fields = dict(zip(chosen, fields_of(columns, chosen), strict=True))
        types |= {fields[name]: kind for name, kind in chosen.items()}
        typed = with_types(columns, types)
        if fields:
            self._report_ignored_types(export_id, typed, fields, types)
        return typed

    def _report_ignored_types(
        self,
        export_id: str,
        columns: Sequence[Column],
        fields: Mapping[str, str],
        types: Mapping[str, str],
    ) -> None:
        """Log the names in the settings, with their ``fields``, whose type has no effect."""
        options = export_options(self.config, export_id)
        key = key_of(EXPORTS[export_id], columns, options.get("primary_key"))
        found = {c.field: TEXT if c.field in key else c.type for c in columns}
        for name, field in fields.items():
            if found and field not in found:
                text = "exports.%s.types: the stream has no column %s; ignoring its type"
                self.logger.warning(text, export_id, name)
            elif found.get(field, types[field]) != types[field]:
                text = "exports.%s.types: the column %s stays a text: it is in the key, or %s"
                beside = "the name of the field beside it is taken or too long"
                self.logger.warning(text, export_id, name, beside)

    def _headers(self, exports: Sequence[Export]) -> dict[str, list[str] | None]:
        """Return the header of each export: a stored one, or the one that the vendor sends now."""
        store = self._column_store
        is_typed = discovery.learns_types(self.config)
        headers = store.current(exports, with_types=is_typed) if store else {}
        self._learned_types.update({e.id: store.types(e.id) for e in exports} if store else {})
        missing = [export for export in exports if export.id not in headers]
        if missing:
            self.check_access()  # one request, or a wrong password would be sent for each export
            headers |= self._requested_headers(missing)
        return headers

    def _requested_headers(self, exports: Sequence[Export]) -> dict[str, list[str] | None]:
        found: list[discovery.Discovered] = []
        try:
            found += discovery.discovered_headers(self.tenant, exports)
        finally:  # also if another export stops discovery, so that the next one needs less time
            if self._column_store:
                self._column_store.note_discovered(found)
        for one in found:
            stored = self._column_store.types(one.export.id) if self._column_store else None
            self._learned_types[one.export.id] = stored or one.types or {}
        return {one.export.id: one.header for one in found}

    @cached_property
    def _column_store(self) -> ColumnStore | None:
        return column_store(self.config) if self.config.get("discover_columns") else None

    @override
    def execute(self) -> None:
        try:
            super().execute()
        finally:
            if self._column_store:
                exports = (s for s in self.streams.values() if isinstance(s, streams.ExportStream))
                self._column_store.note_run([stream for stream in exports if stream.is_read])

    def _given_columns(self, export: Export) -> list[Column] | None:
        """Return the columns in the catalog or the settings; None where there are none."""
        entry = self.input_catalog.get_stream(export.id) if self.input_catalog else None
        if entry is not None:
            columns = columns_of(export.id, entry.schema.to_dict())
            deselect_beside(columns, entry.metadata)
            return columns
        names = export_options(self.config, export.id).get("columns")
        return columns_from(export.id, names, are_metrics=True) if names else None

    def _can_discover(self) -> bool:
        if self.input_catalog is not None or not self.config.get("discover_columns"):
            return False
        return not list(self.config_problems())

    @override
    def own_problems(self, config: Config) -> Iterator[str]:
        yield from settings.problems(config)

    @override
    def check_access(self) -> str:
        return self._access

    @cached_property
    def _access(self) -> str:
        teams = self.tenant.look_up(TEAMS)
        if problems := list(vendor_problems(self.tenant, teams)):
            raise ConfigValidationError("; ".join(problems), errors=problems)
        return f"The credentials work; the company has {len(teams)} team(s)"
