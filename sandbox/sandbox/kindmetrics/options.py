"""The Kindmetrics switches on the command line."""

import argparse
from datetime import date, datetime

from sandbox.kindmetrics import Kindmetrics
from sandbox.kindmetrics.api import REFERRERS_ROUTES


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options; their names are those of ``Kindmetrics``."""
    size = parser.add_argument_group("the account")
    size.add_argument("--token", default="demo-token", help="the API token (%(default)s)")
    size.add_argument("--domains", type=positive, default=4, metavar="N", help="%(default)s")
    size.add_argument("--pages-per-day", type=positive, default=20, metavar="N", help="%(default)s")
    size.add_argument(
        "--visitors-per-day", type=positive, default=60, metavar="N", help="%(default)s"
    )
    size.add_argument("--seed", default="sandbox", help="another seed gives other figures")
    size.add_argument(
        "--created",
        type=_created,
        action="append",
        default=[],
        metavar="ID=YYYY-MM-DD",
        help="the first day of a domain (repeatable)",
    )
    clock = parser.add_mutually_exclusive_group()
    clock.add_argument("--today", type=_day, metavar="YYYY-MM-DD", help="noon of this day")
    clock.add_argument("--now", type=_time, metavar="TIME", help="ISO 8601; UTC unless it says")
    _add_moods(parser)


def _add_moods(parser: argparse.ArgumentParser) -> None:
    moods = parser.add_argument_group("how the server is set")
    moods.add_argument(
        "--referrers-route",
        choices=sorted(REFERRERS_ROUTES),
        default="server",
        help="/Referrers as the server has it, or /referrers as documented (%(default)s)",
    )
    moods.add_argument("--no-me", action="store_true", help="/api/me does not exist")
    moods.add_argument(
        "--ended-domain",
        type=positive,
        action="append",
        default=[],
        metavar="ID",
        help="a domain whose plan ended: 403 (repeatable)",
    )
    moods.add_argument("--ended-account", action="store_true", help="the whole plan ended: 403")
    moods.add_argument(
        "--known-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a host name the server goes by; any other is redirected (repeatable)",
    )


def make(options: argparse.Namespace) -> Kindmetrics:
    """Set up an account as the options say."""
    return Kindmetrics(
        token=options.token,
        domains=options.domains,
        today=options.today,
        now=options.now,
        created=dict(options.created),
        visitors_per_day=options.visitors_per_day,
        pages_per_day=options.pages_per_day,
        seed=options.seed,
        ended_domains=options.ended_domain,
        ended_account=options.ended_account,
        referrers_route=options.referrers_route,
        has_me=not options.no_me,
        known_hosts=options.known_host,
    )


def hint(options: argparse.Namespace) -> str:
    """Say in words how to get in."""
    return f"send the header 'Authorization: Bearer {options.token}', for example to /api/domains"


def positive(text: str) -> int:
    """Read a whole number from 1.

    Raises:
        argparse.ArgumentTypeError: it is something else.
    """
    if not text.isdecimal() or int(text) < 1:
        msg = f"{text!r} is not a whole number from 1"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


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


def _created(text: str) -> tuple[int, date]:
    number, _, day = text.partition("=")
    return positive(number), _day(day)
