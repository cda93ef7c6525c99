"""The section of ``docs/faults.md`` about anomalies, made from the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.pages import fault_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.anomalies.anomaly import Anomaly

TITLE = fault_page.ANOMALIES
INTRODUCTION = """\
`python -m tests.anomalies` runs the taps with each of these and writes this section. The fakes of
the vendors are written from the reference pages and share no code with the sandbox. "All rows"
means: exit code 0, and each row once. An error is one line, with exit code 1; what the run wrote
before it stays, and the bookmark does not pass what is missing.
"""


def section(table: Sequence[Anomaly]) -> str:
    """Return the section for a table whose runs ended as they must."""
    parts = [INTRODUCTION]
    for kind in dict.fromkeys(one.kind for one in table):
        rows = [one for one in table if one.kind == kind]
        lines = [f"| {kind}: what happens | tap | what the tap does |", "|---|---|---|"]
        lines += [f"| {_cell(r.what)} | {r.vendor.name} | {_cell(r.must)} |" for r in rows]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
