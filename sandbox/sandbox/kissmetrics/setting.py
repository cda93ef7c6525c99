"""What the parts of the API share: the account, the rules, and where the servers are."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.exchange import Answer, Request
from sandbox.kissmetrics.data import Data
from sandbox.kissmetrics.links import Addresses
from sandbox.kissmetrics.rules import LinkRules, ListName, PageRules, RunRules, V3Rules

VENDORS_QUERY_URL = "https://query.kissmetrics.com"
VENDORS_CORE_URL = "https://api.kissmetrics.com"


@dataclass
class Setting:
    """Everything may be changed while the servers run; it holds from the next request on."""

    data: Data
    token: str
    email: str
    password: str
    api_key: str
    page_rules: PageRules
    link_rules: LinkRules
    run_rules: RunRules
    v3_rules: V3Rules
    requires_https: bool
    page_rules_of: dict[ListName, PageRules] = field(default_factory=dict)
    run_rules_of: dict[str, RunRules] = field(default_factory=dict)
    core_url: str | None = None
    query_url: str | None = None
    seen: dict[str, str] = field(default_factory=dict)

    def addresses_for(self, request: Request) -> Addresses:
        """Give the addresses for links: those that were set, else the ones clients use."""
        host = request.headers.get("host", "")
        mine = f"http://{host}" if host else ""
        is_core = request.path.startswith("/core")
        if mine:
            self.seen["core" if is_core else "query"] = mine
        core = self.core_url or self.seen.get("core", VENDORS_CORE_URL)
        return Addresses(core, self.query_url or self.seen.get("query", VENDORS_QUERY_URL))

    def rules_for(self, report_id: str) -> RunRules:
        """Give the rules for the runs of a report."""
        return self.run_rules_of.get(report_id, self.run_rules)

    def redirect(self, request: Request) -> Answer | None:
        """Send plain HTTP away, where that is asked for; a proxy's header says what it was."""
        if not self.requires_https or request.headers.get("x-forwarded-proto") == "https":
            return None
        host = request.headers.get("host", "")
        return Answer(301, headers=(("location", f"https://{host}{request.target}"),))


