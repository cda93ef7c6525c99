"""What the parts of the API share: the account, the rules, and the servers' addresses."""

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
class Settings:
    """The credentials, the size of the account, and how the servers behave.

    ``sizes``, ``fields`` and ``now`` are read once, when the account is set up. All others may
    change at any time; a change applies from the next request on.
    """

    token: str = "demo-token"  # noqa: S105 (only valid in the sandbox)
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
        self._used = {"core": VENDORS_CORE_URL, "query": VENDORS_QUERY_URL}

    def note_address(self, request: Request, *hosts: str) -> None:
        """Note the address at which a client reaches these hosts: ``core``, ``query``."""
        if host := request.headers.get("host"):
            self._used.update(dict.fromkeys(hosts, f"http://{host}"))

    @property
    def addresses(self) -> Addresses:
        """The addresses for links: those that were set, or those that clients use."""
        return Addresses(self.core_url or self._used["core"], self.query_url or self._used["query"])

    def rules_for(self, report_id: str) -> RunRules:
        """Return the rules for the runs of a report."""
        return self.run_rules_of.get(report_id, self.run_rules)

    def redirect(self, request: Request) -> Response | None:
        """Redirect plain HTTP if https is required; a proxy's header names the scheme."""
        if not self.requires_https or request.headers.get("x-forwarded-proto") == "https":
            return None
        host = request.headers.get("host", "")
        return Response(301, headers=(("location", f"https://{host}{request.target}"),))
