"""The switches: sizes, and how the server behaves. Defaults are the observed behaviour."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

ListName = Literal["accounts", "products", "reports", "events", "properties", "metrics"]
LIST_NAMES: tuple[ListName, ...] = get_args(ListName)
# The observed and the documented forms of a list:
#   envelope               meta, data, pagination, links, and the same links in the Link header
#   bare                   only an array, as in all documented samples; details are bare too
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
FORMS: tuple[Form, ...] = get_args(Form)
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
    """The number of records of each list, and the values that they take in turn.

    Products take accounts and ``timezones`` in turn; reports, events, properties and metrics take
    products in turn. ``rows_per_day`` is the number of rows of a report's day (some reports have
    fewer on some days, and none on others); ``columns`` is the number of cells after the first
    two. The last tenth of each day's people is known ``late_hours`` after the fact. An unknown
    time zone counts as UTC.
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
    timezones: Sequence[str] = ("US/Pacific", "UTC", "Europe/Berlin")
    report_types: Sequence[str] = REPORT_TYPES
    seed: str = "sandbox"


@dataclass(frozen=True)
class FieldRules:
    """The fields of records besides the documented ones.

    ``undocumented``: index, hosts, tracking_key. ``text_totals``: the total of every other event
    is a string. ``extra_field``: every record has an unknown field.
    """

    undocumented: bool = True
    text_totals: bool = False
    extra_field: bool = False


@dataclass(frozen=True)
class PageRules:
    """How a list is cut into pages, and how paging goes wrong.

    - ``default_limit``: None for the vendor's (20 for lists, 50 for results)
    - ``max_limit``: the maximum page size, used instead of a higher limit; ``echo_limit`` makes
      the pagination repeat the requested limit
    - ``escaped_links``: hrefs have ``&amp;`` as in the documents
    - ``templated_links``: the paging links include templates
    - ``next_host``: base URL of first, last, next and prev instead of the server's
    - ``empty_page``: the page with this number (from 1) is empty, the records continue after it
    - ``empty_end``: the last page with records still has a next, which leads to an empty page
    - ``repeat_page``: every offset returns the first records
    - ``short_of_total``: how many records more than there are the total promises
    - ``change_after``: after this number of requests for pages of a list, the first ``vanish``
      records are missing, or ``insert`` new ones come before the first
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
    """The targets of the links in records and in the directory.

    - ``product_host``: base URL of a product's links, such as ``https://apikissmetrics.com``
    - ``run_host``: base URL of a report's ``run_v2`` link
    - ``run_links``: both, only the documented ``run`` (an older API that the sandbox does not
      serve), or none
    - ``detail_rels``: the directory's templates are named ``account-detail`` and so on; otherwise
      those of account, product and report have the plain name
    """

    product_host: str | None = None
    run_host: str | None = None
    run_links: Literal["both", "run", "none"] = "both"
    detail_rels: bool = False


@dataclass(frozen=True)
class RunRules:
    """How a query runs, from its start to its rows.

    - ``polls``: how many polls return "not completed" (0: the first one returns "completed")
    - ``run_seconds``: the query is completed this time after its start, instead of ``polls``
    - ``error``: error text in the status of a query, which then never completes;
      ``error_starts``: only this number of first starts of a report and window fail
    - ``error_at_top``: the error is next to ``data`` instead of in it
    - ``location_header``, ``links``: whether each of them has the URL of the next step
    - ``location_host``, ``link_host``: another base URL for it
    - ``people_search_v3``: what a run of a report of this type returns: its saved window, whatever
      the dates (as observed), the requested window, or 400 (as documented)
    - ``row_form``: rows as arrays or objects; None for the report type's form
    - ``columns``: whether results describe their columns, as in the first API or only by label
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
    """How v3 responds; how its queries run is in ``RunRules`` (polls, run_seconds, row_form).

    - ``key``: the key of the records: ``data`` (as observed), the list's own name, as documented
      (``documented``: the documents have properties under events), or a bare array
    - ``fields``: the documented ones, the observed ones, or both
    - ``max_limit``: the maximum page size, used instead of a higher limit
    - ``budget``: the number of requests in ``budget_seconds`` over the whole account; more are
      refused with 429, with ``retry_after`` including that header
    - ``has_sql``: the account may run SQL; 403 otherwise
    """

    key: Literal["data", "named", "documented", "bare"] = "data"
    fields: Literal["documented", "observed", "both"] = "both"
    max_limit: int = 10_000
    budget: int | None = None
    budget_seconds: float = 60.0
    retry_after: bool = False
    has_sql: bool = True
