"""The results of the matrix as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.fault_matrix.matrix import Results

HEAD = """\
# What a fault does to a run

This page is written by `python -m tests.fault_matrix`; it took the taps through all of it.

Each fault strikes the first, a middle and the last request of each kind that an undisturbed run
sends, in three ways: once, twice in a row, and from then on for good. The sandbox's servers do it
over real sockets. Names that do not resolve and TLS that fails are real ones too.

- **A fault that passes** (once, twice) has to leave no trace: exit code 0, each row of the
  undisturbed run exactly once, the same bookmarks.
- **A fault that stays** is tried five times with growing pauses. Then the run ends in one of the
  ways below. The next run, given the last state and a vendor that is well again, has to bring what
  is missing: both together give the rows of the undisturbed run, none of them twice.

| in the tables | what the run does |
|---|---|
| stops | one line says which request failed and why; exit code 1; no traceback |
| others go on | the stream is given up, with one line; the others are complete; exit code 1 |
| whole | nothing is missing: this part of the answer is not needed, or can be taken up again |

Pauses and time-outs are shortened, the order of things is not. What a refusal (401, 403, 404, a
redirect) means to each tap is in its README.
"""


def page(taps: Iterable[tuple[Results, Results]]) -> str:
    """The page: for each tap the results of requests and those of connections."""
    parts = [HEAD]
    for requests, connections in taps:
        whole = requests.passed + connections.passed
        tried = sum(whole.values())
        parts.append(f"\n## {requests.tap}\n")
        parts.append(f"Faults that pass: {tried} tried, {whole['whole']} ended whole.\n")
        parts.append("Faults that stay:\n")
        parts.append(_table(requests, "fault"))
        parts.append("Connections that are never made, by address:\n")
        parts.append(_table(connections, "trouble"))
    return "\n".join(parts).rstrip() + "\n"


def _table(results: Results, first: str) -> str:
    rows = list(dict.fromkeys(fault for fault, _ in results.ends))
    columns = sorted(dict.fromkeys(request for _, request in results.ends))
    lines = [
        "| " + " | ".join([first, *(f"`{column}`" for column in columns)]) + " |",
        "|" + "---|" * (len(columns) + 1),
    ]
    for row in rows:
        ends = (" / ".join(sorted(results.ends.get((row, column), ()))) for column in columns)
        lines.append("| " + " | ".join([row, *ends]) + " |")
    return "\n".join(lines) + "\n"
