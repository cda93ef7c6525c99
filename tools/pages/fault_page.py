"""The page ``docs/faults.md``, made from the results of the fault matrix."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tools.workspace import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PAGE = ROOT / "docs" / "faults.md"
ANOMALIES = "Anomalies of vendors and of input"  # the section that tests/anomalies writes
HEAD = """\
# What a fault does to a run

`python -m tests.fault_matrix` runs the taps with all of these faults and writes this page.

Each fault hits the first, a middle and the last request of each kind that an undisturbed run
sends, in three ways: once, twice in a row, and permanently. The sandbox's servers produce the
faults over real sockets. Host names that do not resolve and TLS errors are real too.

- **A temporary fault** (once, twice) must have no effect: exit code 0, each row of the undisturbed
  run exactly once, the same bookmarks.
- With **a permanent fault**, the tap sends the request five times, with growing pauses. Then the
  run ends in one of the ways below. The next run, with the last state and without the fault, must
  read what is missing: both runs together give the rows of the undisturbed run, none of them twice.

| in the tables | what the run does |
|---|---|
| stops | one line says which request failed and why; exit code 1; no traceback |
| others continue | this stream fails, with one line; the other streams are complete; exit code 1 |
| complete | nothing is missing: this part of the response is not needed, or the tap can resume it |
| cancelled | for a stopped run: the vendor confirmed it, no query is left |
| left for the next run | for a stopped run: not confirmed, so the query's id is in the state |

A discovery that sends requests (`--discover` of tap-khoros-analytics) ends with the complete
catalog, or stops. There, "others continue" means that the catalog has the documented columns for
an export, and the log has a warning: the vendor's job never ends, or its table is always empty.

The raw data export of Kissmetrics has the faults of a store. Refusals (403, 404, 412, a redirect)
are not retried, so they last. One cell is empty: half of a table with the right length cannot be
recognized; what the index lacks then is read by the next run.

The runs of each tap that a fault hits log at level DEBUG. No secret may be in their output or log,
in any encoding.

The tests shorten pauses and timeouts, and keep the order of events. The README of each tap says
what a refusal (401, 403, 404, a redirect) means to it.
"""


@dataclass
class Results:
    """How the runs of one tap ended."""

    tap: str
    ends: dict[tuple[str, str], set[str]] = field(default_factory=dict)  # fault, request -> ends
    passed: Counter[str] = field(
        default_factory=Counter
    )  # temporary faults: how many runs ended so
    wrong: list[str] = field(default_factory=list)

    def add(self, fault: str, request: str, end: str, *, is_temporary: bool) -> None:
        """Count one cell."""
        if is_temporary:
            self.passed[end] += 1
        else:
            self.ends.setdefault((fault, request), set()).add(end)

    def merge(self, other: Results) -> None:
        """Add the results of other cells."""
        self.passed += other.passed
        self.wrong += other.wrong
        for key, ends in other.ends.items():
            self.ends.setdefault(key, set()).update(ends)


def write(made: Mapping[str, tuple[Results, Results]], titles: Sequence[str]) -> None:
    """Write the sections of these results, of requests and connections by title, into the page."""
    write_sections({title: section(*parts) for title, parts in made.items()}, titles)


def write_sections(texts: Mapping[str, str], titles: Sequence[str]) -> None:
    """Write the texts of sections, by title, into the page; the others stay as they are."""
    before = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    PAGE.write_text(page(before, texts, [*titles, ANOMALIES]), encoding="utf-8")


def page(before: str, made: Mapping[str, str], titles: Sequence[str]) -> str:
    """Return the page ``before``, with the sections ``made``, by title, replaced."""
    kept = {
        part.partition("\n")[0]: part.partition("\n")[2].strip("\n") + "\n"
        for part in before.split("\n## ")[1:]
    }
    found = {**kept, **made}
    parts = [f"\n## {title}\n\n{found[title]}" for title in titles if title in found]
    return "\n".join([HEAD, *parts]).rstrip() + "\n"


def section(requests: Results, connections: Results) -> str:
    """Return the text under a heading: the results of requests and of connections."""
    parts = []
    whole = requests.passed + connections.passed
    if tried := sum(whole.values()):
        parts.append(f"Temporary faults: {tried} runs, {whole['complete']} complete.\n")
    parts += ["Permanent faults:\n", _table(requests, "fault")]
    if connections.ends:
        parts.append("Connections that cannot be made, by address:\n")
        parts.append(_table(connections, "fault"))
    return "\n".join(parts)


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
