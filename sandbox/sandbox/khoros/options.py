"""The Khoros switches on the command line."""

import argparse
import atexit
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime

from sandbox.frame import Frame
from sandbox.khoros import Khoros
from sandbox.khoros.catalog import EXPORTS, ROSTERS
from sandbox.khoros.headers import KeyStyle
from sandbox.khoros.switches import PerExport
from sandbox.server import UnusableAddressError, running

KEY_STYLES: tuple[KeyStyle, ...] = ("metric", "camel", "display")


@dataclass
class Served:
    """A tenant whose storage is served already; ``app`` is left to be served."""

    khoros: Khoros
    app: Frame


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options; their names are those of ``Khoros``."""
    account = parser.add_argument_group("the tenant")
    account.add_argument("--username", default="analytics-user", help="%(default)s")
    account.add_argument("--password", default="demo-password", help="%(default)s")
    account.add_argument("--company-key", default="demo-company", help="%(default)s")
    account.add_argument("--seed", default="sandbox", help="another seed gives other job ids")
    account.add_argument(
        "--rows-per-day", type=_whole, default=40, metavar="N", help="of every export (%(default)s)"
    )
    account.add_argument(
        "--rows",
        type=_of_export,
        action="append",
        default=[],
        metavar="EXPORT=N",
        help="of one export; agents in the case of a roster (repeatable)",
    )
    account.add_argument(
        "--long-actions", type=_whole, default=0, metavar="N", help="in one conversation a day"
    )
    account.add_argument("--since", type=_day, metavar="YYYY-MM-DD", help="90 days before now")
    account.add_argument("--now", type=_time, metavar="TIME", help="ISO 8601; UTC unless it says")
    _add_job_options(parser)
    _add_file_options(parser)


def _add_job_options(parser: argparse.ArgumentParser) -> None:
    jobs = parser.add_argument_group("how jobs go")
    jobs.add_argument("--job-seconds", type=_seconds, default=0.0, metavar="S", help="%(default)s")
    jobs.add_argument("--running-polls", type=_whole, default=1, metavar="N", help="%(default)s")
    jobs.add_argument("--empty-url-polls", type=_whole, default=0, metavar="N", help="%(default)s")
    jobs.add_argument(
        "--fail",
        type=_of_export,
        action="append",
        default=[],
        metavar="EXPORT=N",
        help="the first N runs of an export fail; -1 is all (repeatable)",
    )
    jobs.add_argument(
        "--attach",
        choices=("never", "running", "always"),
        default="running",
        help="whether a request like one before gets its run (%(default)s)",
    )
    jobs.add_argument("--rate-limit", type=_whole, metavar="N", help="requests a window")
    jobs.add_argument("--rate-window", type=_seconds, default=60.0, metavar="S", help="%(default)s")
    jobs.add_argument("--no-retry-after", action="store_true", help="429 without the header")
    jobs.add_argument("--lenient-methods", action="store_true", help="GET for every export")
    jobs.add_argument("--exclusive-end", action="store_true", help="endTime is not in the window")


def _add_file_options(parser: argparse.ArgumentParser) -> None:
    files = parser.add_argument_group("how files are")
    files.add_argument("--storage-port", type=_whole, default=0, help="0 takes any free one")
    files.add_argument(
        "--key-style", choices=KEY_STYLES, default="metric", help="of JSON keys (%(default)s)"
    )
    files.add_argument("--bom", action="store_true", help="CSV begins with a byte order mark")
    files.add_argument("--gzip", action="store_true", help="compressed where the client takes it")
    files.add_argument("--chunked", action="store_true", help="files have no length")
    files.add_argument(
        "--link-seconds", type=_seconds, default=60.0, metavar="S", help="%(default)s"
    )


def make(options: argparse.Namespace) -> Served:
    """Set up a tenant as the options say, and serve its storage until the process ends.

    ``options.storage_url`` is where that is, for ``hint``. Ends the process with a message when
    the storage's port cannot be had.
    """
    khoros = _khoros(options)
    stack = ExitStack()
    try:
        server = stack.enter_context(running(khoros.storage, port=options.storage_port))
    except UnusableAddressError as error:
        sys.exit(f"sandbox: {error}")
    atexit.register(stack.close)
    khoros.storage_url = options.storage_url = server.url
    return Served(khoros, khoros.api)


def _khoros(options: argparse.Namespace) -> Khoros:
    return Khoros(
        username=options.username,
        password=options.password,
        company_key=options.company_key,
        seed=options.seed,
        now=options.now,
        since=options.since,
        rows_per_day=_rows(options),
        long_actions=options.long_actions,
        job_seconds=options.job_seconds,
        running_polls=options.running_polls,
        empty_url_polls=options.empty_url_polls,
        failing_runs=dict(options.fail),
        attach=options.attach,
        rate_limit=options.rate_limit,
        rate_window=options.rate_window,
        has_retry_after=not options.no_retry_after,
        lenient_methods=options.lenient_methods,
        inclusive_end=not options.exclusive_end,
        key_style=options.key_style,
        has_bom=options.bom,
        has_gzip=options.gzip,
        is_chunked=options.chunked,
        link_seconds=options.link_seconds,
    )


def _rows(options: argparse.Namespace) -> PerExport[int]:
    if not options.rows:
        rows: int = options.rows_per_day
        return rows
    usual = {name: options.rows_per_day for name in EXPORTS if name not in ROSTERS}
    return {**usual, **dict(options.rows)}


def hint(options: argparse.Namespace) -> str:
    """Say in words how to get in, and where the storage is."""
    access = f"user '{options.username}', password '{options.password}'"
    key = f"companyKey '{options.company_key}'"
    return f"{access}, {key}; downloads are at {options.storage_url}"


def _whole(text: str) -> int:
    if not text.isdecimal():
        msg = f"{text!r} is not a whole number"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if seconds < 0:
        msg = f"{text!r} is not a number of seconds"
        raise argparse.ArgumentTypeError(msg)
    return seconds


def _of_export(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if name not in EXPORTS:
        msg = f"{name!r} is no export: one of {', '.join(EXPORTS)}"
        raise argparse.ArgumentTypeError(msg)
    return name, -1 if number == "-1" else _whole(number)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        msg = f"{text!r} is not a day like 2026-01-31"
        raise argparse.ArgumentTypeError(msg) from None


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))  # Python 3.10 knows no Z
    except ValueError:
        msg = f"{text!r} is not a time like 2026-01-31T14:30:00Z"
        raise argparse.ArgumentTypeError(msg) from None
