"""The expected rows: what a complete and correct reader of an export gets."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import cached_property, partial

from sandbox.khoros.catalog import EXPORTS, JSON_ONLY, Export
from sandbox.khoros.clock import Clock, milliseconds
from sandbox.khoros.events import conversations, events
from sandbox.khoros.people import teams_result
from sandbox.khoros.places import timezones_result
from sandbox.khoros.query import Pairs, Query, Server, query_of
from sandbox.khoros.render import FileStyle, Renderer, Row, body, body_before_row, body_length
from sandbox.khoros.rosters import rosters
from sandbox.khoros.switches import Switches
from sandbox.khoros.world import Batch, World

SOURCES: Mapping[str, Callable[[World, Query, int], Iterator[Batch]]] = {
    "events": events,
    "conversations": conversations,
    "roster": rosters,
    "intervals": rosters,
}
DAYS_OF_DATA = 90
SMALL_BYTES = 128 * 1024  # smaller files are made once, for their length and for their bytes
DEFAULT_ROWS = 40  # per day, for exports that a mapping does not have
Moment = datetime | date | int


@dataclass(frozen=True)
class File:
    """An export's file, made while it is sent and never completely in memory."""

    renderer: Renderer
    batches: Callable[[], Iterator[Batch]]

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes in pieces."""
        return body(self.renderer, self.batches()) if self._small is None else iter([self._small])

    @property
    def length(self) -> int:
        """The number of bytes."""
        if self._small is not None:
            return len(self._small)
        return body_length(self.renderer, self.batches())

    @cached_property
    def _small(self) -> bytes | None:
        """The bytes of a small file; None if it is large."""
        made = b""
        for piece in body(self.renderer, self.batches()):
            made += piece
            if len(made) > SMALL_BYTES:
                return None
        return made

    def middle_of_row(self, row: int) -> int:
        """Return the number of bytes up to the middle of a row."""
        return body_before_row(self.renderer, self.batches(), row)

    def rows(self) -> Iterator[Row]:
        """Yield the rows as values by metric id."""
        for batch in self.batches():
            yield from self.renderer.rows(batch)


Recipe = Callable[[], File]  # makes the same bytes each time


class Data:
    """The rows of the exports, for the parameters that the API accepts."""

    def __init__(self, switches: Switches, clock: Clock) -> None:
        """Use these switches, and this clock."""
        self._switches = switches
        self.clock = clock
        days = timedelta(days=DAYS_OF_DATA)
        self.since = switches.since or clock.now.date() - days  # the first day with data

    @property
    def teams(self) -> list[dict[str, object]]:
        """What ``/teams`` returns."""
        return teams_result()

    @property
    def timezones(self) -> list[dict[str, object]]:
        """What ``/config/timezones`` returns."""
        return timezones_result()

    def query(self, export: str, start: Moment, end: Moment, **parameters: str) -> Query:
        """Return the query of a client; a date is its midnight, an integer epoch milliseconds.

        Raises:
            Refusal: the API refuses the parameters.
        """
        pairs = [("startTime", str(_ms(start))), ("endTime", str(_ms(end)))]
        return self.query_of(EXPORTS[export], [*pairs, *parameters.items()])

    def query_of(self, export: Export, pairs: Pairs) -> Query:
        """Return the query with these parameters.

        Raises:
            Refusal: the API refuses the parameters.
        """
        switches = self._switches
        server = Server(
            columns=self.known_columns(export),
            company_zone=switches.company_timezone,
            max_buckets=switches.max_buckets,
            is_lenient=switches.lenient_parameters,
        )
        return query_of(export, pairs, server)

    def rows(self, export: str, start: Moment, end: Moment, **parameters: str) -> list[Row]:
        """Return the rows that an export must have, by metric id.

        Raises:
            Refusal: the API refuses the parameters.
        """
        return list(self.recipe(self.query(export, start, end, **parameters))().rows())

    def count(self, export: str, start: Moment, end: Moment, **parameters: str) -> int:
        """Return the number of rows, without making them.

        Raises:
            Refusal: the API refuses the parameters.
        """
        file = self.recipe(self.query(export, start, end, **parameters))()
        return sum(batch.size for batch in file.batches())

    def recipe(self, query: Query) -> Recipe:
        """Return a function that makes a query's file with the present data and switches."""
        file_style = FileStyle(self._switches.key_style, self._switches.has_bom)
        columns = self.columns(query)
        batches = partial(SOURCES[query.export.shape], self.world, query, self.clock.now_ms)
        return lambda: File(Renderer(query, columns, file_style), batches)

    @property
    def world(self) -> World:
        """The sizes that the switches have now."""
        switches = self._switches
        rows = switches.rows_per_day
        return World(
            since=self.since,
            rows=rows if isinstance(rows, Mapping) else {},
            default_rows=DEFAULT_ROWS if isinstance(rows, Mapping) else rows,
            empty_days=frozenset(switches.empty_days),
            long_actions=switches.long_actions,
            is_end_included=switches.inclusive_end,
        )

    def columns(self, query: Query) -> tuple[str, ...]:
        """Return the metric ids of a file: those requested, or the tenant's enabled ones."""
        chosen = query.metrics or self.enabled_columns(query.export.id, query.end)
        return tuple(name for name in chosen if query.format == "json" or name not in JSON_ONLY)

    def enabled_columns(self, export: str, at: Moment | None = None) -> tuple[str, ...]:
        """Return the tenant's enabled columns for a window that ends at a time, by default now."""
        own = self._switches.columns.get(export)
        usual = [name for name in EXPORTS[export].columns if name not in EXPORTS[export].hidden]
        late = self._switches.late_columns.get(export, {})
        end = self.clock.now_ms if at is None else _ms(at)
        names = [name for name in own or usual if name not in late]
        return (*names, *(name for name, day in late.items() if end > _ms(day)))

    def known_columns(self, export: Export) -> frozenset[str]:
        """Return the columns that a client can request, including disabled ones."""
        own = self._switches.columns.get(export.id, ())
        late = self._switches.late_columns.get(export.id, {})
        return frozenset((*export.columns, *own, *late))


def _ms(moment: Moment) -> int:
    if isinstance(moment, int):
        return moment
    if isinstance(moment, datetime):
        return milliseconds(moment)
    return milliseconds(datetime.combine(moment, time(), timezone.utc))
