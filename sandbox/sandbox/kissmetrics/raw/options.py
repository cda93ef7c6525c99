"""The options of ``sandbox kissmetrics-s3`` and ``sandbox kissmetrics-export``."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timezone
from pathlib import Path

from sandbox.kissmetrics.raw.export import RawExport, RawSizes
from sandbox.kissmetrics.raw.lines import Rates
from sandbox.kissmetrics.raw.s3 import KEY, S3, SECRET
from sandbox.options import (
    DAY,
    POSITIVE,
    WHOLE,
    Account,
    Group,
    OptionType,
    UnusableOptionsError,
    keywords,
    number,
)

BUCKET = "kissmetrics-export"
_SIZES = {
    "files": ("number of files", POSITIVE),
    "lines": ("lines of a file, about", WHOLE),
    "people": ("number of people", POSITIVE),
    "first_revision": ("first revision", WHOLE),
    "gap_every": ("every N-th revision does not exist; 0: no gaps", WHOLE),
    "deleted": ("files that are in the index, but deleted from the bucket", WHOLE),
    "hours": ("hours from one file to the next", POSITIVE),
}
_RATES = {
    "properties": "set properties without an event",
    "aliases": "give a person a second identity",
    "mobile": "come from a device, whose clock can be wrong",
    "out_of_order": "are older than the lines before them",
    "octal_utf_8": "have octal escapes of UTF-8",
    "octal_windows_1252": "have octal escapes of Windows-1252",
    "backslashes": "have escapes that JSON does not know",
    "raw_bytes": "have bytes that are not UTF-8",
    "rejects": "cannot be used: cut off, empty, without identity or time",
    "repeats": "are equal to an earlier line",
}
_OF_A_THOUSAND = OptionType("N", "a number from 0 to 1000", number(int, 0, 1000))


def add_export_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of an export."""
    size = Group(parser, "the export")
    for name, (text, kind) in _SIZES.items():
        size.add(_option(name), text, type=kind, default=getattr(RawSizes, name))
    size.add("--start", "day of the first file", type=DAY, default=RawExport.start.date())
    size.add("--seed", "another seed gives other lines", default="sandbox")
    rates = Group(parser, "of a thousand lines, how many")
    for name, text in _RATES.items():
        rates.add(_option(name), text, type=_OF_A_THOUSAND, default=getattr(Rates, name))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a served export."""
    add_export_options(parser)
    bucket = Group(parser, "the bucket")
    bucket.add("--bucket", "name of the bucket", default=BUCKET)
    bucket.add("--prefix", "folder in the bucket", default="")


@contextmanager
def serving(options: argparse.Namespace) -> Iterator[Account]:
    """Set up a bucket as the options say.

    Raises:
        UnusableOptionsError: if moto is not installed.
    """
    prefix = "".join(f"{part}/" for part in options.prefix.split("/") if part)
    try:
        store = S3(latency_ms=options.latency_ms)
    except ImportError:
        msg = "kissmetrics-s3 needs moto: install the extra s3 of the sandbox"
        raise UnusableOptionsError(msg) from None
    store.load(options.bucket, export_of(options), prefix)
    url = f"s3://{options.bucket}/{prefix}".rstrip("/")
    yield Account(store, f"{url}, access key id '{KEY}', secret access key '{SECRET}'")


def export_of(options: argparse.Namespace) -> RawExport:
    """Return the export that the options describe."""
    return RawExport(
        RawSizes(**keywords(options, RawSizes)),
        Rates(**keywords(options, Rates)),
        options.seed,
        datetime.combine(options.start, time(), timezone.utc),
    )


def write(options: argparse.Namespace) -> str:
    """Write an export into ``options.folder``; return what it has, in words.

    Raises:
        UnusableOptionsError: if the folder has other files than an export that has grown.
    """
    export, folder = export_of(options), Path(options.folder)
    try:
        before = (folder / "index.csv").read_bytes() if folder.exists() else b""
        is_free = not folder.exists() or not any(folder.iterdir())
    except OSError:
        before, is_free = b"", False
    if not is_free and not (before and export.index().startswith(before)):
        msg = f"{folder} has other files; choose a new folder"
        raise UnusableOptionsError(msg)
    counts = export.write(folder)
    kinds = ", ".join(f"{counts[kind]:,} {text}" for kind, text in _KINDS.items())
    return f"{len(export.present):,} files, {counts['lines']:,} lines: {kinds}"


_KINDS = {
    "event": "events",
    "properties": "properties",
    "alias": "aliases",
    "reject": "rejects",
    "mended": "to be mended",
}


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
