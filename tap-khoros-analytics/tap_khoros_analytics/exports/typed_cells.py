"""Convert the cells of rows to the types of their columns, a column at a time."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from tap_khoros_analytics.exports.types import DURATION, TEXT, converter

if TYPE_CHECKING:
    import logging
    from collections.abc import Container, Sequence

    from tap_khoros_analytics.exports.spellings import Column
    from tap_khoros_analytics.exports.types import Texts, Zone


class Misfits:
    """Counts the texts that do not fit the type of their column; logs one warning for each."""

    def __init__(self, stream: str, logger: logging.Logger) -> None:
        self._stream = stream
        self._logger = logger
        self._counts: Counter[tuple[Column, bool]] = Counter()

    def add(self, column: Column, count: int, *, has_beside: bool) -> None:
        """Count texts of a column; ``has_beside``: the field beside it is selected."""
        self._counts[column, has_beside] += count

    def report(self) -> None:
        """Log the counts since the last report."""
        for (column, has_beside), count in self._counts.items():
            is_duration = column.type == DURATION
            place = column.field if is_duration else column.derived_field
            self._logger.warning(
                "%s: %s value(s) of %s have another type than %s; %s is null, %s",
                self._stream,
                f"{count:,}",
                column.field,
                column.type,
                column.derived_field if is_duration else column.field,
                f"the text is in {place}" if has_beside else f"select {place} to keep the text",
            )
        self._counts.clear()


def typed_cells(
    columns: Sequence[Column], zone: Zone, selected: Container[str], misfits: Misfits
) -> TypedCells | None:
    """Return what converts the cells of ``columns``, in the order of fields; None for texts."""
    if all(column.derived_field is None for column in columns):
        return None
    ordered = sorted(columns, key=lambda column: column.field)
    return TypedCells(ordered, zone, selected, misfits)


class TypedCells:
    """Converts the typed ones of ``columns``, which are in the order of the cells.

    Values of the ``derived_fields``, which are the ``selected`` ones, follow the cells of a row.
    """

    def __init__(
        self, columns: Sequence[Column], zone: Zone, selected: Container[str], misfits: Misfits
    ) -> None:
        self._misfits = misfits
        self._columns = [
            (place, column, converter(column.type, zone), column.derived_field in selected)
            for place, column in enumerate(columns)
            # A duration without its seconds is only a text.
            if column.derived_field in selected or column.type not in {TEXT, DURATION}
        ]
        self.derived_fields = [
            c.derived_field or "" for _, c, _, is_kept in self._columns if is_kept
        ]

    def values(self, rows: Sequence[Texts]) -> Sequence[Sequence[Any]]:
        """Return the cells of rows with their types, and those of the fields beside them."""
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
        beside = []
        nothing = [None] * len(rows)
        for place, column, convert, has_beside in self._columns:
            values, misfits = convert(columns[place])
            if misfits:
                count = sum(text is not None for text in misfits)
                self._misfits.add(column, count, has_beside=has_beside)
            if column.type == DURATION:
                derived = values
            else:
                columns[place] = values
                derived = misfits or nothing
            if has_beside:
                beside.append(derived)
        return list(zip(*columns, *beside, strict=True))
