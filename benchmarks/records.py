"""500,000 records in pages, written as Singer lines to a file and a pipe, compared with peers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import paged
from benchmarks.contest import Case, Contestant, contest
from benchmarks.measure import PIPE
from benchmarks.rows import PAGE_ROWS
from benchmarks.server import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.contest import Options
    from benchmarks.paged import Pages

PAGES = 500
NOTE = (
    "Peers write all rows as their own documentation recommends. Airbyte leaves out nulls, and dlt "
    "compresses its files by default. `read only` is the time of the server and a raw socket alone."
)


def run(options: Options) -> Iterator[Case]:
    """Measure a file with all contestants, then a pipe with the most relevant ones."""
    count = options.sized(PAGES)
    with serving("--pages", str(count)) as url:
        work, short = paged.Pages(url, count), paged.Pages(url, 1)
        title = f"{count * PAGE_ROWS:,} records of 20 fields in pages of 1,000, into a file"
        case = Case("records", title, count * PAGE_ROWS, NOTE)
        yield contest(case, everybody(work), options, warm_ups=everybody(short))
        into_pipe = [paged.ours(work), paged.singer_sdk(work), paged.bare(work)]
        case = Case("records_pipe", title.replace("a file", "a pipe"), count * PAGE_ROWS)
        yield contest(case, into_pipe, options, place=PIPE)


def everybody(work: Pages) -> list[Contestant]:
    """Return all contestants, ours first."""
    return [
        paged.ours(work),
        paged.singer_sdk(work),
        paged.singer_sdk(work, "--msgspec", label=paged.SDK_MSGSPEC),
        paged.singer_python(work),
        paged.pipelinewise(work),
        paged.pipelinewise(work, "--orjson", label=paged.PIPELINEWISE_ORJSON),
        paged.dlt(work),
        paged.dlt(work, "load_plain", paged.DLT_PLAIN),
        paged.airbyte(work),
        paged.bare(work),
        paged.read_only(work),
    ]
