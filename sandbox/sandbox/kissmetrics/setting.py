"""What the parts of the API share: the account, the rules, and where the servers are."""

from dataclasses import dataclass, field
from datetime import datetime

from sandbox.exchange import Request, Response
from sandbox.kissmetrics.data import Data
from sandbox.kissmetrics.links import Addresses
from sandbox.kissmetrics.rules import (
    FieldRules,
    LinkRules,
    ListName,
    PageRules,
    RunRules,
    Sizes,
    V3Rules,
)

VENDORS_CORE_URL = "https://api.kissmetrics.com"
VENDORS_QUERY_URL = "https://query.kissmetrics.com"


@dataclass(kw_only=True, eq=False)
class Setting:
    """Who gets in, how much there is, and how the servers behave.

    ``sizes``, ``fields`` and ``now`` are read once, when the account is set up; everything else
    may be changed at any time and holds from the next request on.
    """

    token: str = "demo-token"  # noqa: S105 (opens nothing but the sandbox)
    email: str = "demo@kissmetrics.example"
    password: str = "demo-password"  # noqa: S105
    api_key: str = "demo-key"
    sizes: Sizes = field(default_factory=Sizes)
    fields: FieldRules = field(default_factory=FieldRules)
    now: datetime | None = None
    pages: PageRules = field(default_factory=PageRules)
    pages_of: dict[ListName, PageRules] = field(default_factory=dict)
    links: LinkRules = field(default_factory=LinkRules)
    run_rules: RunRules = field(default_factory=RunRules)
    run_rules_of: dict[str, RunRules] = field(default_factory=dict)
    v3: V3Rules = field(default_factory=V3Rules)
    requires_https: bool = False
    core_url: str | None = None
    query_url: str | None = None
    data: Data = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Set up the account."""
        self.data = Data(self.sizes, self.fields, self.now)
        self._seen = {"core": VENDORS_CORE_URL, "query": VENDORS_QUERY_URL}

    def note_address(self, request: Request, *servers: str) -> None:
        """Note by which address a client reaches these servers: ``core``, ``query``."""
        if host := request.headers.get("host"):
            self._seen.update(dict.fromkeys(servers, f"http://{host}"))

    @property
    def addresses(self) -> Addresses:
        """The addresses for links: those that were set, else the ones clients use."""
        return Addresses(self.core_url or self._seen["core"], self.query_url or self._seen["query"])

    def rules_for(self, report_id: str) -> RunRules:
        """Give the rules for the runs of a report."""
        return self.run_rules_of.get(report_id, self.run_rules)

    def redirect(self, request: Request) -> Response | None:
        """Send plain HTTP away, where that is asked for; a proxy's header says what it was."""
        if not self.requires_https or request.headers.get("x-forwarded-proto") == "https":
            return None
        host = request.headers.get("host", "")
        return Response(301, headers=(("location", f"https://{host}{request.target}"),))
