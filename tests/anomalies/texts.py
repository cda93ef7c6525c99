"""Anomalies of names and charsets in exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.anomalies.anomaly import Anomaly
from tests.anomalies.lists import always
from tests.anomalies.rows import ONE_DAY
from tests.anomalies.server import Received, Reply
from tests.anomalies.vendors import KHOROS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.anomalies.anomaly import Does
    from tests.processes import Ended

NAMES, CHARSETS = "Names of columns", "Charsets"


CSV = "text/csv"


DISCOVERED = {"discover_columns": True, "exports": ...}


def body(content: bytes, kind: str = "application/json") -> Callable[[], Does]:
    """Return a download with this body."""
    return always("/download", Reply(content, headers={"Content-Type": kind}))


def cells(*expected: Mapping[str, Any]) -> Callable[[Ended], bool]:
    """Return a check that the rows of ``author`` contain these fields, in any order."""

    def check(ended: Ended) -> bool:
        rows = ended.output.rows("author")
        return all(any(one.items() <= row.items() for row in rows) for one in expected)

    return check


def values(*expected: str) -> Callable[[Ended], bool]:
    """Return a check that the first row of ``author`` has these values, whatever their fields."""

    def check(ended: Ended) -> bool:
        (row, *_) = ended.output.rows("author")
        found = [str(value) for value in row.values()]
        return all(found.count(value) == 1 for value in expected)

    return check


def named(names: Sequence[str]) -> Callable[[], Does]:
    """Return an export of one row, in CSV and in JSON, with the values 1, 2, ... of these names."""
    cells = [str(number + 1) for number in range(len(names))]
    lines = f"{','.join(names)}\n{','.join(cells)}\n".encode()
    rows = [dict(zip(names, cells, strict=True))]

    def respond(request: Received) -> Reply | None:
        if not request.path.endswith("/download") or "/author/" not in request.path:
            return None
        is_csv = request.path.split("/")[-2].endswith("csv")
        return Reply(lines, headers={"Content-Type": CSV}) if is_csv else Reply(rows)

    return lambda: respond


def _names(what: str, kind: str, *names: str) -> Anomaly:
    settings = {**ONE_DAY, **DISCOVERED, "report_format": kind}
    expected = [str(number + 1) for number in range(len(names))]
    return Anomaly(
        NAMES,
        KHOROS,
        f"{kind}: {what}",
        "a field for each name",
        named(names),
        ["author"],
        settings,
        rows={"author": 1},
        check=values(*expected),
    )


def _charset(
    what: str,
    kind: str,
    mime: str,
    content: bytes,
    text: str,
    says: Sequence[str] = (),
    must: str = "the text as it was written",
) -> Anomaly:
    exports = {"author": {"columns": ["AUTHOR_ID"], "primary_key": ["AUTHOR_ID"]}}
    settings = {**ONE_DAY, "report_format": kind, "exports": exports}
    return Anomaly(
        CHARSETS,
        KHOROS,
        what,
        must,
        body(content, mime),
        ["author"],
        settings,
        rows={"author": 1},
        says=says,
        check=cells({"author_id": text}),
    )


MUELLER = "Müller"


TEXTS = (
    *(
        _names(what, kind, *names)
        for what, *names in (
            ("names that differ in a sign or in case", "AUTHOR_ID", "SLA %", "SLA #", "a", "A"),
            ("names that differ in an accent", "AUTHOR_ID", "Pr\u00e9nom", "Prenom"),
            ("names that differ in plus and minus", "AUTHOR_ID", "Delta +", "Delta -"),
            ("names that differ in a space", "AUTHOR_ID", "A B", "A  B", "AB", "A_B"),
        )
        for kind in ("csv", "json")
    ),
    _names("an empty name, and a name twice", "csv", "AUTHOR_ID", "", "STATUS", "STATUS"),
    _charset(
        "CSV, declared as windows-1252",
        "csv",
        "text/csv; charset=windows-1252",
        f"AUTHOR_ID\n{MUELLER}\n".encode("cp1252"),
        MUELLER,
    ),
    _charset(
        "CSV, declared as ISO-8859-1 in quotes",
        "csv",
        'text/csv; charset="ISO-8859-1"',
        f"AUTHOR_ID\n{MUELLER}\n".encode("latin-1"),
        MUELLER,
    ),
    _charset(
        "CSV, declared as UTF-16",
        "csv",
        "text/csv; charset=utf-16",
        f"AUTHOR_ID\n{MUELLER}\n".encode("utf-16"),
        MUELLER,
    ),
    _charset(
        "JSON, declared as ISO-8859-1",
        "json",
        "application/json; charset=iso-8859-1",
        f'[{{"AUTHOR_ID":"{MUELLER}"}}]'.encode("latin-1"),
        MUELLER,
    ),
    _charset(
        "JSON, declared as ISO-8859-1, in UTF-8",
        "json",
        "application/json; charset=iso-8859-1",
        f'[{{"AUTHOR_ID":"{MUELLER}"}}]'.encode(),
        MUELLER,
    ),
    _charset(
        "JSON, declared as UTF-16",
        "json",
        "application/json; charset=utf-16",
        f'[{{"AUTHOR_ID":"{MUELLER}"}}]'.encode("utf-16"),
        MUELLER,
    ),
    _charset(
        "CSV, undeclared and not UTF-8",
        "csv",
        CSV,
        f"AUTHOR_ID\n{MUELLER}\n".encode("latin-1"),
        "M\ufffdller",
        ["U+FFFD"],
        "a mark for each invalid byte, and one warning",
    ),
    _charset(
        "CSV, UTF-8 with a byte order mark, declared as UTF-8",
        "csv",
        "text/csv; charset=utf-8",
        f"AUTHOR_ID\n{MUELLER}\n".encode("utf-8-sig"),
        MUELLER,
    ),
)
