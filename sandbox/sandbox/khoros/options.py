"""The options of ``sandbox khoros``."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

from sandbox.khoros import Khoros
from sandbox.khoros.catalog import EXPORTS, ROSTERS
from sandbox.khoros.headers import KeyStyle
from sandbox.options import (
    DAY,
    PORT,
    SECONDS,
    TIME,
    WHOLE,
    Account,
    Group,
    OptionType,
    keywords,
)
from sandbox.server import running


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options, most of whose destinations are keywords of ``Khoros``."""
    tenant = Group(parser, "the tenant")
    tenant.add("--username", "user name", default="analytics-user")
    tenant.add("--password", "password", default="demo-password")
    tenant.add("--company-key", "company key", default="demo-company")
    tenant.add("--seed", "another seed gives other job ids", default="sandbox")
    tenant.add("--rows-per-day", "rows per day of every export", type=WHOLE, default=40)
    tenant.add_list("--rows", "rows per day of an export, or its agents", "rows", type=BY_EXPORT)
    tenant.add("--long-actions", "actions of one conversation per day", type=WHOLE, default=0)
    tenant.add("--since", "first day with data, by default 90 days ago", type=DAY)
    tenant.add("--now", "stop the clock at an ISO 8601 time", type=TIME)
    _add_job_options(Group(parser, "jobs"))
    files = Group(parser, "files")
    files.add("--storage-port", "port of the storage; 0 takes any free port", type=PORT, default=0)
    files.add("--key-style", "style of JSON keys", choices=get_args(KeyStyle), default="metric")
    files.add_flag("--bom", "CSV begins with a byte order mark", "has_bom")
    files.add_flag("--gzip", "compress files for clients that accept gzip", "has_gzip")
    files.add_flag("--chunked", "send files without a length", "is_chunked")
    files.add("--link-seconds", "life of a download link", type=SECONDS, default=60.0)


def _add_job_options(jobs: Group) -> None:
    jobs.add("--job-seconds", "run time of a job", type=SECONDS, default=0.0)
    jobs.add("--running-polls", "polls until a job is done", type=WHOLE, default=1)
    jobs.add("--empty-url-polls", "polls of a job done without a URL", type=WHOLE, default=0)
    jobs.add_list("--fail", "first runs of an export that fail; -1 is all", "fail", type=BY_EXPORT)
    attach = "when a repeated creation returns the run of the first"
    jobs.add("--attach", attach, choices=("never", "running", "always"), default="running")
    jobs.add("--rate-limit", "requests per window", type=WHOLE)
    jobs.add("--rate-window", "window of the rate limit", type=SECONDS, default=60.0)
    jobs.add_flag("--no-retry-after", "429 without that header", "has_retry_after", on=False)
    jobs.add_flag("--lenient-methods", "every export accepts GET")
    jobs.add_flag("--exclusive-end", "windows exclude endTime", "inclusive_end", on=False)


@contextmanager
def serving(options: argparse.Namespace) -> Iterator[Account]:
    """Set up a tenant as the options say, and serve its storage until the block ends.

    Raises:
        UnusableAddressError: the port of the storage is taken.
    """
    khoros = tenant_of(options)
    with running(khoros.storage, port=options.storage_port) as storage:
        khoros.storage_url = storage.url
        access = f"user '{khoros.username}', password '{khoros.password}'"
        key = f"companyKey '{khoros.company_key}'"
        yield Account(khoros.api, f"{access}, {key}; downloads are at {storage.url}")


def tenant_of(options: argparse.Namespace) -> Khoros:
    """Return the tenant that the options describe."""
    given = keywords(options, Khoros)
    if options.rows:
        usual = {name: options.rows_per_day for name in EXPORTS if name not in ROSTERS}
        given["rows_per_day"] = {**usual, **dict(options.rows)}
    return Khoros(**given, failing_runs=dict(options.fail or ()))


def _by_export(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if name not in EXPORTS:
        raise ValueError
    return name, -1 if number == "-1" else WHOLE(number)


BY_EXPORT = OptionType(
    "EXPORT=N", f"EXPORT=N with one of the exports {', '.join(EXPORTS)}", _by_export
)
