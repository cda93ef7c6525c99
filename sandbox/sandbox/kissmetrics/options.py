"""The options of ``sandbox kissmetrics``."""

import argparse
from contextlib import AbstractContextManager, nullcontext

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
from sandbox.options import POSITIVE, SECONDS, TIME, WHOLE, Account, Group, keywords

SIZES = (*LIST_NAMES, "rows_per_day")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options, which ``rules`` describes in full."""
    account = Group(parser, "the account")
    account.add("--token", "API token", default="demo-token")
    for name in SIZES:
        option = f"--{name.replace('_', '-')}"
        account.add(option, "number", type=POSITIVE, default=getattr(Sizes, name))
    account.add_list("--timezone", "a time zone of products", "timezones", metavar="NAME")
    account.add_list("--report-type", "a type of reports", "report_types", metavar="TYPE")
    account.add("--seed", "another seed gives other rows", default="sandbox")
    account.add("--now", "stop the clock at an ISO 8601 time", type=TIME)
    servers = Group(parser, "the servers")
    servers.add("--form", "form of lists", choices=FORMS, default="envelope")
    servers.add("--max-limit", "maximum page size of lists", type=POSITIVE)
    servers.add("--next-host", "base URL in the paging links of lists", metavar="URL")
    servers.add_flag("--extra-field", "records have an undocumented field")
    servers.add("--polls", "polls until a query is completed", type=WHOLE, default=2)
    servers.add("--run-seconds", "run time of a query, instead of --polls", type=SECONDS)
    servers.add("--row-form", "form of rows, else by report type", choices=("array", "object"))
    servers.add("--columns", "results describe their columns", choices=("objects", "labels"))
    servers.add("--budget", "requests per minute that v3 allows", type=POSITIVE)


def serving(options: argparse.Namespace) -> AbstractContextManager[Account]:
    """Set up an account as the options say."""
    return nullcontext(Account(account_of(options).app, _hint(options)))


def account_of(options: argparse.Namespace) -> Kissmetrics:
    """Return the account that the options describe."""
    sizes = keywords(options, Sizes)
    sizes.pop("columns", None)  # the option is of RunRules
    return Kissmetrics(
        **keywords(options, Kissmetrics),
        sizes=Sizes(**sizes),
        fields=FieldRules(extra_field=options.extra_field),
        pages=PageRules(**keywords(options, PageRules)),
        run_rules=RunRules(**keywords(options, RunRules)),
        v3=V3Rules(budget=options.budget, retry_after=options.budget is not None),
    )


def _hint(options: argparse.Namespace) -> str:
    return (
        "both hosts are served here, /core and /v2 and /v3; "
        f"send the header 'Authorization: Bearer {options.token}', for example to /core; "
        "v3 takes Basic with demo@kissmetrics.example and demo-password, or demo-key alone"
    )
