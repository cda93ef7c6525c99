"""The results of reports: one stream for all, and one for each report with columns of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import SchemaDirectory, StreamSchema
from tap_kit.rows.names import unique_names
from typing_extensions import override

from tap_kissmetrics import schemas
from tap_kissmetrics.reports.rows import as_text
from tap_kissmetrics.reports.windows import ResultStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_kit.flow.tasks import Partition

    from tap_kissmetrics.client import Id
    from tap_kissmetrics.reports.rows import Person
    from tap_kissmetrics.tap import TapKissmetrics

SCHEMAS = SchemaDirectory(schemas)
FIELDS_OF_EACH_ROW = (
    "row_id",
    "report_id",
    "report_name",
    "product_id",
    "start_date",
    "end_date",
    "row_number",
    "kmid",
    "identity",
    "extracted_from",
)


class ReportResults(ResultStream):
    """The rows of all reports that can be run, or of the configured ones."""

    name = "report_results"
    schema = StreamSchema(SCHEMAS)

    @override
    def all_partitions(self) -> Iterator[Partition]:
        return ({"report_id": report.id} for report in self.tap.reports.to_run())


class NamedReport(ResultStream):
    """The rows of one report whose columns are configured, each column a field."""

    schemas: ClassVar[SchemaDirectory] = SCHEMAS

    def __init__(
        self, tap: TapKissmetrics, report_id: Id, name: str, columns: Sequence[str]
    ) -> None:
        self.name = f"report_{name}"
        self._report_id = report_id
        self._labels = columns
        self._told = False
        self._fields = unique_names(columns, taken=FIELDS_OF_EACH_ROW)
        super().__init__(tap)
        common = self.schemas.fetch_schema("report_results")
        own = {
            field: {
                "type": ["string", "null"],
                "description": f"Column {column!r} of the report, as text; null where it has none.",
            }
            for field, column in zip(self._fields, columns, strict=True)
        }
        shared = {k: v for k, v in common["properties"].items() if k in FIELDS_OF_EACH_ROW}
        self._columns_schema = {**common, "properties": {**shared, **own}}

    @property
    @override
    def schema(self) -> dict[str, Any]:
        return self._columns_schema

    @override
    def all_partitions(self) -> Iterator[Partition]:
        report_id = self.tap.client.id_of(self._report_id)
        mine = (report for report in self.tap.reports.to_run() if report.id == report_id)
        return ({"report_id": report.id} for report in mine)

    @override
    def shape(self, person: Person, labels: Sequence[str]) -> dict[str, Any]:
        cells = person.values
        if person.labels is not None:  # its columns are known by name, not by place
            named = dict(zip(person.labels, person.values, strict=True))
            cells = [named[label] for label in self._labels if label in named]
            values = {f: named.get(c) for f, c in zip(self._fields, self._labels, strict=True)}
        else:
            values = dict(zip(self._fields, cells, strict=False))
        self._compare(len(person.values), len(cells))
        texts = {field: as_text(value) for field, value in values.items()}
        return {"kmid": person.kmid, "identity": person.identity, **texts}

    def _compare(self, columns: int, used: int) -> None:
        """Tell once when the settings do not name just the columns that there are."""
        if self._told or columns == used == len(self._fields):
            return
        self._told = True
        self.logger.warning(
            "%s: the report has %d columns, the settings name %d; only those are written",
            self.name,
            columns,
            len(self._fields),
        )
