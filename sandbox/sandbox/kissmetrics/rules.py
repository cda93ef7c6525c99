"""The switches: how much there is, and how the server behaves. Defaults are what was seen."""

from dataclasses import dataclass, field
from typing import Literal

ListName = Literal["accounts", "products", "reports", "events", "properties", "metrics"]
LIST_NAMES: tuple[ListName, ...] = (
    "accounts",
    "products",
    "reports",
    "events",
    "properties",
    "metrics",
)
# The forms a list was seen or documented in:
#   envelope               meta, data, pagination, links, and the same links in the Link header
#   bare                   an array and nothing else, as all documented samples; details are bare
#   link_header_only       an array, and the links in the Link header
#   link_header_envelope   meta and data, and the links in the Link header
#   next_in_body_only      meta, data and links, but no pagination and no Link header
#   total_without_next     the envelope, but neither next nor last among the links
Form = Literal[
    "envelope",
    "bare",
    "link_header_only",
    "link_header_envelope",
    "next_in_body_only",
    "total_without_next",
]
FORMS: tuple[Form, ...] = (
    "envelope",
    "bare",
    "link_header_only",
    "link_header_envelope",
    "next_in_body_only",
    "total_without_next",
)
REPORT_TYPES = (
    "people_search_v2",
    "people_search_v2",
    "funnel",
    "people_search_v2",
    "people_search_v3",
    "people_search_v2",
    "cohort",
    "people_search_v2",
)


@dataclass(frozen=True)
class Sizes:
    """How much there is: whole numbers, and what the parts take turns in.

    Products take turns in accounts and ``timezones``; reports, events, properties and metrics
    take turns in products. ``rows_per_day`` is how many rows a report of one day has (some
    reports have fewer on some days, none on others); ``columns`` how many cells follow the
    first two. The last tenth of each day's people is known ``late_hours`` after it happened.
    A zone name that nobody knows counts as UTC.
    """

    accounts: int = 2
    products: int = 3
    reports: int = 8
    events: int = 45
    properties: int = 60
    metrics: int = 6
    rows_per_day: int = 40
    columns: int = 4
    late_hours: int = 0
    timezones: tuple[str, ...] = ("US/Pacific", "UTC", "Europe/Berlin")
    report_types: tuple[str, ...] = REPORT_TYPES
    seed: str = "sandbox"


@dataclass(frozen=True)
class FieldRules:
    """What records hold besides the documented fields.

    ``undocumented``: index, hosts, tracking_key. ``text_totals``: the total of every other
    event is a string. ``extra_field``: every record has a field nobody has heard of.
    """

    undocumented: bool = True
    text_totals: bool = False
    extra_field: bool = False


@dataclass(frozen=True)
class PageRules:
    """How a list is cut into pages, and how it goes wrong.

    - ``default_limit``: None for the vendor's (20 for lists, 50 for results)
    - ``max_limit``: a higher limit silently gives this many; ``echo_limit`` makes the
      pagination claim the limit that was asked for
    - ``escaped_links``: hrefs have ``&amp;`` as in the documents
    - ``templated_links``: templates stand among the paging links
    - ``next_host``: the address that first, last, next and prev point to instead of the server
    - ``empty_page``: the page of this number (from 1) is empty, the records go on after it
    - ``empty_end``: the last page with records still has a next, which leads to an empty page
    - ``repeat_page``: offset moves the links, but the records are always the first ones
    - ``short_of_total``: the total promises so many records more than there are
    - ``change_after``: after so many requests for pages of a list, the first ``vanish`` records
      are gone, or ``insert`` new ones stand before the first
    """

    form: Form = "envelope"
    default_limit: int | None = None
    max_limit: int | None = None
    echo_limit: bool = False
    escaped_links: bool = False
    templated_links: bool = True
    next_host: str | None = None
    empty_page: int | None = None
    empty_end: bool = False
    repeat_page: bool = False
    short_of_total: int = 0
    change_after: int | None = None
    vanish: int = 0
    insert: int = 0


@dataclass(frozen=True)
class LinkRules:
    """Where the links of records and of the directory point.

    - ``product_host``: the address in a product's links, such as ``https://apikissmetrics.com``
    - ``run_host``: the address in a report's ``run_v2`` link
    - ``run_links``: both, only the documented ``run`` (an older API that is not served here),
      or none at all
    - ``detail_rels``: the directory's templates are called ``account-detail`` and so on, where
      otherwise account, product and report have the plain word
    """

    product_host: str | None = None
    run_host: str | None = None
    run_links: Literal["both", "run", "none"] = "both"
    detail_rels: bool = False


@dataclass(frozen=True)
class RunRules:
    """How a query runs, from its start to its rows.

    - ``polls``: so many status calls say "not completed" (0: completed at the first one)
    - ``run_seconds``: instead, it is completed so many seconds after its start
    - ``error``: text of an error in the status, which then never completes;
      ``error_starts``: only the first so many starts of one report and window fail
    - ``error_at_top``: the error stands next to ``data`` instead of in it
    - ``location_header``, ``links``: whether the address of the next step is in each of them
    - ``location_host``, ``link_host``: another address in front of it there
    - ``people_search_v3``: what a run of a report of that type gives: its saved window whatever
      the dates (as seen), the window asked for, or 400 (as documented)
    - ``row_form``: rows as arrays or objects; None as the report's type has it
    - ``columns``: whether the results tell their columns, as the first API did or by label
    - ``pages``: how results are cut into pages
    """

    polls: int = 2
    run_seconds: float | None = None
    error: str | None = None
    error_starts: int | None = None
    error_at_top: bool = False
    location_header: bool = True
    links: bool = True
    location_host: str | None = None
    link_host: str | None = None
    people_search_v3: Literal["saved_window", "given_window", "refused"] = "saved_window"
    row_form: Literal["array", "object"] | None = None
    columns: Literal["objects", "labels"] | None = None
    pages: PageRules = field(default_factory=lambda: PageRules(templated_links=False))


@dataclass(frozen=True)
class V3Rules:
    """How v3 answers; how its queries run is in ``RunRules`` (polls, run_seconds, row_form).

    - ``key``: records under ``data`` (as seen), under the list's own name (as documented; the
      documents have properties under events, which is ``documented``), or a bare array
    - ``fields``: those of the documents, those that were seen, or both
    - ``max_limit``: a higher limit silently gives this many
    - ``budget``: so many requests in ``budget_seconds`` over the whole account, then 429;
      ``retry_after`` adds that header
    - ``has_sql``: the account may run SQL; 403 otherwise
    """

    key: Literal["data", "named", "documented", "bare"] = "data"
    fields: Literal["documented", "observed", "both"] = "both"
    max_limit: int = 10_000
    budget: int | None = None
    budget_seconds: float = 60.0
    retry_after: bool = False
    has_sql: bool = True
