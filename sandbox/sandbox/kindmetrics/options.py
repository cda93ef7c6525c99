"""The options of ``sandbox kindmetrics``."""

import argparse
from contextlib import AbstractContextManager, nullcontext
from datetime import date

from sandbox.kindmetrics import Kindmetrics
from sandbox.kindmetrics.api import REFERRERS_ROUTES
from sandbox.options import DAY, POSITIVE, TIME, Account, Group, OptionType, keywords


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options, whose destinations are keywords of ``Kindmetrics``."""
    account = Group(parser, "the account")
    account.add("--token", "API token", default="demo-token")
    account.add("--domains", "number of domains", type=POSITIVE, default=4)
    account.add("--pages-per-day", "pages of a full day", type=POSITIVE, default=20)
    account.add("--visitors-per-day", "visitors of an average day", type=POSITIVE, default=60)
    account.add("--seed", "another seed gives other figures", default="sandbox")
    account.add_list("--created", "first day of a domain", "created", type=CREATED)
    clock = parser.add_mutually_exclusive_group()
    clock.add_argument("--today", type=DAY, metavar="YYYY-MM-DD", help="stop the clock at noon")
    clock.add_argument(
        "--now", type=TIME, metavar="TIME", help="stop the clock at an ISO 8601 time"
    )
    server = Group(parser, "the server")
    routes = "/Referrers as on the server, or /referrers as documented"
    server.add("--referrers-route", routes, choices=sorted(REFERRERS_ROUTES), default="server")
    server.add_flag("--no-me", "/api/me does not exist", "has_me", on=False)
    ended = "a domain whose plan has ended: 403"
    server.add_list("--ended-domain", ended, "ended_domains", type=POSITIVE)
    server.add_flag("--ended-account", "the plan of all domains has ended: 403")
    known = "a host name of the server; requests to any other are redirected"
    server.add_list("--known-host", known, "known_hosts", metavar="NAME")


def serving(options: argparse.Namespace) -> AbstractContextManager[Account]:
    """Set up an account as the options say."""
    api = Kindmetrics(**{**keywords(options, Kindmetrics), "created": dict(options.created or ())})
    hint = f"send the header 'Authorization: Bearer {api.token}', for example to /api/domains"
    return nullcontext(Account(api.app, hint))


def _created(text: str) -> tuple[int, date]:
    number, _, day = text.partition("=")
    return int(number), date.fromisoformat(day)


CREATED = OptionType("ID=YYYY-MM-DD", "a domain's id and a date such as 1=2026-01-31", _created)
