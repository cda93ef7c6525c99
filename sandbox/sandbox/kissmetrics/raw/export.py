"""A raw data export: its files, ``index.csv`` and ``status.csv``, all from a seed."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from random import Random

from sandbox.kissmetrics.raw.lines import DAY_S, Made, People, Rates, made_lines

_PIECE_LINES = 10_000


@dataclass(frozen=True)
class RawSizes:
    """The size of an export, and its gaps.

    Revisions begin at ``first_revision``. Every ``gap_every``-th one does not exist. The first
    ``deleted`` files are in the index, but no longer in the bucket. The second file is empty.
    """

    files: int = 20
    lines: int = 50  # of each file, about
    people: int = 60
    first_revision: int = 140
    gap_every: int = 9
    deleted: int = 0
    hours: int = 6  # from one file to the next


@dataclass
class RawExport:
    """The export of one product."""

    sizes: RawSizes = field(default_factory=RawSizes)
    rates: Rates = field(default_factory=Rates)
    seed: str = "sandbox"
    start: datetime = datetime(2026, 1, 1, tzinfo=timezone.utc)

    def __post_init__(self) -> None:
        """Choose the revisions."""
        self.revisions: list[int] = []
        revision = self.sizes.first_revision
        while len(self.revisions) < self.sizes.files:
            if not self.sizes.gap_every or revision % self.sizes.gap_every:
                self.revisions.append(revision)
            revision += 1

    @property
    def present(self) -> list[int]:
        """The revisions whose file the bucket has."""
        return self.revisions[self.sizes.deleted :]

    def made(self, revision: int) -> Iterator[Made]:
        """Yield the lines of a file, with what a reader has to make of them."""
        random = Random(f"{self.seed}/{revision}")  # noqa: S311 (invented data)
        is_empty = [revision] == self.revisions[1:2]
        yield from made_lines(
            random,
            0 if is_empty else max(1, self.sizes.lines + random.randrange(-5, 6)),
            start=self._begin(revision),
            seconds=self.sizes.hours * 3600,
            people=People(self.sizes.people),
            rates=self.rates,
        )

    def counts(self, revision: int) -> Counter[str]:
        """Return how many lines of each kind a file has, and how many are mended and repeated."""
        counts: Counter[str] = Counter()
        seen: Counter[bytes] = Counter()
        for made in self.made(revision):
            counts[made.kind] += 1
            counts["mended"] += made.is_mended
            counts["repeated"] += seen[made.text] > 0
            counts["lines"] += 1
            seen[made.text] += 1
        return counts

    def total(self) -> Counter[str]:
        """Return the sum of the counts of all files that the bucket has."""
        return sum((self.counts(revision) for revision in self.present), Counter())

    def pieces(self, revision: int, counts: Counter[str] | None = None) -> Iterator[bytes]:
        """Yield the bytes of a file; every third file has no line feed at its end.

        ``counts`` gets the numbers of lines, but not those of repeated ones.
        """
        lines: list[bytes] = []
        counts = Counter() if counts is None else counts
        is_first = True
        for made in self.made(revision):
            counts[made.kind] += 1
            counts["mended"] += made.is_mended
            counts["lines"] += 1
            if len(lines) == _PIECE_LINES:
                yield (b"" if is_first else b"\n") + b"\n".join(lines)
                lines, is_first = [], False
            lines.append(made.text)
        if lines:
            has_end = revision % 3 > 0 or not lines[-1]
            yield (b"" if is_first else b"\n") + b"\n".join(lines) + b"\n" * has_end

    def file(self, revision: int) -> bytes:
        """Return the bytes of a file."""
        return b"".join(self.pieces(revision))

    def index(self) -> bytes:
        """Return ``index.csv``; the times are those of receipt."""
        rows = ["filename,min_timestamp,max_timestamp,min_utc_date,max_utc_date"]
        for revision in self.revisions:
            first = self._begin(revision)
            last = first + self.sizes.hours * 3600 - 1
            rows.append(f"revisions/{revision}.json,{first},{last},{_date(first)},{_date(last)}")
        return "".join(f"{row}\n" for row in rows).encode()

    def status(self) -> bytes:
        """Return ``status.csv``."""
        last = self.revisions[-1]
        until = self._begin(last) + self.sizes.hours * 3600 - 1
        header = (
            "total_revisions,exported_revisions,max_exported_revision_timestamp,"
            "max_exported_revision_utc_date"
        )
        return f"{header}\n{last},{last},{until},{_date(until)}\n".encode()

    def all_files(
        self, counts: Counter[str] | None = None
    ) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Yield the name and the bytes of every file of the bucket; ``counts`` as in ``pieces``."""
        yield "index.csv", iter([self.index()])
        yield "status.csv", iter([self.status()])
        for revision in self.present:
            yield f"revisions/{revision}.json", self.pieces(revision, counts)

    def write(self, folder: Path) -> Counter[str]:
        """Write the bucket as a folder; return the numbers of lines, as in ``pieces``."""
        counts: Counter[str] = Counter()
        for name, pieces in self.all_files(counts):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.writelines(pieces)
            os.utime(path, (self.start.timestamp(),) * 2)  # the same file is not a new one
        return counts

    def _begin(self, revision: int) -> int:
        place = revision - self.sizes.first_revision
        return int(self.start.timestamp()) + place * self.sizes.hours * 3600

    @property
    def days(self) -> int:
        """The number of days from the first file to the last one."""
        return -(-(self.revisions[-1] - self.revisions[0] + 1) * self.sizes.hours * 3600 // DAY_S)


def _date(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d %H:%M} GMT"
