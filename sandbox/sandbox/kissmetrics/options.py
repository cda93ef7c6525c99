"""The Kissmetrics switches on the command line."""

import argparse
from collections.abc import Callable
from datetime import datetime

from sandbox.kissmetrics import Kissmetrics
from sandbox.kissmetrics.rules import (
    FORMS,
    LIST_NAMES,
    FieldRules,
    PageRules,
    RunRules,
    Sizes,
    V3Rules,
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options; what they mean in full is in ``rules``."""
    size = parser.add_argument_group("the account")
    size.add_argument("--token", default="demo-token", help="the API token (%(default)s)")
    for name in (*LIST_NAMES, "rows_per_day"):
        default = getattr(Sizes, name)
        option = f"--{name.replace('_', '-')}"
        size.add_argument(option, type=_positive, default=default, metavar="N", help="%(default)s")
    size.add_argument("--timezone", action="append", metavar="NAME", help="of products, in turn")
    size.add_argument("--report-type", action="append", metavar="TYPE", help="of reports, in turn")
    size.add_argument("--seed", default="sandbox", help="another seed gives other rows")
    size.add_argument("--now", type=_time, metavar="TIME", help="ISO 8601 with an offset")
    _add_moods(parser)


def _add_moods(parser: argparse.ArgumentParser) -> None:
    moods = parser.add_argument_group("how the servers are set")
    moods.add_argument("--form", choices=FORMS, default="envelope", help="of lists (%(default)s)")
    moods.add_argument("--max-limit", type=_positive, metavar="N", help="lists silently give less")
    moods.add_argument("--next-host", metavar="URL", help="where paging links point to")
    moods.add_argument("--extra-field", action="store_true", help="records have an unknown field")
    moods.add_argument("--polls", type=_natural, default=2, metavar="N", help="%(default)s")
    moods.add_argument("--run-seconds", type=_seconds, metavar="N", help="of a query; no --polls")
    moods.add_argument("--row-form", choices=("array", "object"), help="else by the report's type")
    moods.add_argument(
        "--columns", choices=("objects", "labels"), help="results tell their columns"
    )
    moods.add_argument("--budget", type=_positive, metavar="N", help="requests a minute in v3")


def make(options: argparse.Namespace) -> Kissmetrics:
    """Set up an account as the options say."""
    sizes = {name: getattr(options, name) for name in (*LIST_NAMES, "rows_per_day", "seed")}
    if options.timezone:
        sizes["timezones"] = tuple(options.timezone)
    if options.report_type:
        sizes["report_types"] = tuple(options.report_type)
    return Kissmetrics(
        token=options.token,
        sizes=Sizes(**sizes),
        now=options.now,
        fields=FieldRules(extra_field=options.extra_field),
        pages=PageRules(
            form=options.form, max_limit=options.max_limit, next_host=options.next_host
        ),
        run_rules=RunRules(
            polls=options.polls,
            run_seconds=options.run_seconds,
            row_form=options.row_form,
            columns=options.columns,
        ),
        v3=V3Rules(budget=options.budget, retry_after=options.budget is not None),
    )


def hint(options: argparse.Namespace) -> str:
    """Say in words how to get in."""
    return (
        "both hosts are served here, /core and /v2 and /v3; "
        f"send the header 'Authorization: Bearer {options.token}', for example to /core; "
        "v3 takes Basic with demo@kissmetrics.example and demo-password, or demo-key alone"
    )


def _number(text: str, least: int, kind: Callable[[str], float]) -> float:
    """Read a number.

    Raises:
        argparse.ArgumentTypeError: it is none, or too small.
    """
    try:
        number = kind(text)
    except ValueError:
        number = -1
    if number < least:
        msg = f"{text!r} is not a number from {least}"
        raise argparse.ArgumentTypeError(msg)
    return number


def _positive(text: str) -> int:
    return int(_number(text, 1, int))


def _natural(text: str) -> int:
    return int(_number(text, 0, int))


def _seconds(text: str) -> float:
    return _number(text, 0, float)


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))  # Python 3.10 knows no Z
    except ValueError:
        msg = f"{text!r} is not a time like 2026-01-31T14:30:00Z"
        raise argparse.ArgumentTypeError(msg) from None
