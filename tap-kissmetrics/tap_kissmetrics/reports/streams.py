"""The results of reports: one stream for all, and one for each report with configured columns."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import SchemaDirectory, StreamSchema
from tap_kit import unique_names
from typing_extensions import override

from tap_kissmetrics import schemas
from tap_kissmetrics.reports.rows import as_text
from tap_kissmetrics.reports.windows import ReportStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from singer_sdk import Tap
    from tap_kit import Partition

    from tap_kissmetrics.client import Id
    from tap_kissmetrics.reports.rows import Person
    from tap_kissmetrics.reports.saved import Account

SCHEMAS = SchemaDirectory(schemas)
COMMON_FIELDS = (
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


class ReportResults(ReportStream):
    """The rows of all reports that the API can run, or of the configured ones."""

    name = "report_results"
    schema = StreamSchema(SCHEMAS)

    @override
    def all_partitions(self) -> Iterator[Partition]:
        return ({"report_id": report.id} for report in self.account.reports.to_run())


class NamedReport(ReportStream):
    """The rows of one report whose columns are configured, each column a field."""

    schemas: ClassVar[SchemaDirectory] = SCHEMAS

    def __init__(
        self, tap: Tap, account: Account[Any], report_id: Id, name: str, columns: Sequence[str]
    ) -> None:
        self.name = f"report_{name}"
        self._report_id = report_id
        self._labels = columns
        self._has_warned = False
        self._fields = unique_names(columns, taken=COMMON_FIELDS)
        super().__init__(tap, account)

    @cached_property
    @override
    def schema(self) -> dict[str, Any]:
        all_reports = self.schemas.fetch_schema("report_results")
        common = {k: v for k, v in all_reports["properties"].items() if k in COMMON_FIELDS}
        own = {
            field: {
                "type": ["string", "null"],
                "description": f"Column {column!r} of the report, as text; null if it is missing.",
            }
            for field, column in zip(self._fields, self._labels, strict=True)
        }
        return {**all_reports, "properties": {**common, **own}}

    @override
    def all_partitions(self) -> Iterator[Partition]:
        report_id = self.account.client.id_of(self._report_id)
        mine = (report for report in self.account.reports.to_run() if report.id == report_id)
        return ({"report_id": report.id} for report in mine)

    @override
    def shape(self, person: Person, labels: Sequence[str]) -> dict[str, Any]:
        if person.labels is not None:  # the row names its columns: they are found by name
            named = dict(zip(person.labels, person.values, strict=True))
            used = sum(label in named for label in self._labels)
            values = {f: named.get(c) for f, c in zip(self._fields, self._labels, strict=True)}
        else:
            used = len(person.values)
            values = dict(zip(self._fields, person.values, strict=False))
        self._compare(len(person.values), used)
        texts = {field: as_text(value) for field, value in values.items()}
        return {"kmid": person.kmid, "identity": person.identity, **texts}

    def _compare(self, columns: int, used: int) -> None:
        """Warn once if the settings do not name exactly the columns of the report."""
        if self._has_warned or columns == used == len(self._fields):
            return
        self._has_warned = True
        self.logger.warning(
            "%s: the report has %d columns, the settings name %d; only those are written",
            self.name,
            columns,
            len(self._fields),
        )
