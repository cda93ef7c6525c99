"""The API over HTTP: routes, access, and the order in which the server checks a request."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from sandbox.cache import ResponseCache
from sandbox.exchange import Request, Response, json_response
from sandbox.kindmetrics.data import Data
from sandbox.kindmetrics.errors import Refusal, refuse
from sandbox.kindmetrics.figures import SNIPPET, Filters, is_settled
from sandbox.kindmetrics.window import filters_of, window_of

ENDPOINTS = frozenset({"pages", "entry_pages", "sources", "countries", "current", "goals"})
ReferrersRoute = Literal["server", "documented"]
# In the documents it is in lower case, on the server it has a capital.
REFERRERS_ROUTES: dict[ReferrersRoute, str] = {"server": "Referrers", "documented": "referrers"}


@dataclass(frozen=True)
class Rules:
    """How the server behaves: see ``Kindmetrics``."""

    token: str
    ended_domains: frozenset[int]
    ended_account: bool
    referrers_route: ReferrersRoute
    has_me: bool
    known_hosts: frozenset[str]


class Api:
    """The vendor's server: a function from request to response."""

    def __init__(self, data: Data, rules: Rules) -> None:
        """Serve this account under these rules."""
        self.creations = 0
        self._data = data
        self._rules = rules
        self._cache = ResponseCache()
        self._endpoints = ENDPOINTS | {REFERRERS_ROUTES[rules.referrers_route]}

    async def respond(self, request: Request) -> Response:
        """Return the response of the vendor's server."""
        try:
            return self._redirect(request) or self._respond(request)
        except Refusal as refusal:
            return refuse(refusal, request)

    def _redirect(self, request: Request) -> Response | None:
        """Redirect a request to an unknown host name to the root of the server's own.

        A known name with www. in front keeps the path: the server only removes that part.
        """
        known = self._rules.known_hosts
        host, _, port = request.headers.get("host", "").partition(":")
        if not known or host in known:
            return None
        bare = host.removeprefix("www.")
        name, target = (bare, request.target) if bare in known else (min(known), "/")
        url = f"http://{name}:{port}{target}" if port else f"http://{name}{target}"
        return Response(301, headers=(("location", url),))

    def _respond(self, request: Request) -> Response:
        handle = self._route(request)
        if not request.accepts_json:
            raise Refusal(406, "Not Acceptable")
        if request.method != "GET" and handle != self._create:
            raise Refusal(405, "Method Not Allowed")
        if token_of(request) != self._rules.token:
            raise Refusal(401, "Not authenticated.")
        return handle()

    def _route(self, request: Request) -> Callable[[], Response]:
        """Return what makes the response; paths are case-sensitive.

        Raises:
            Refusal: 404 for an unknown path.
        """
        match request.path.split("/")[1:]:
            case ["api", "me"] if self._rules.has_me:
                return partial(json_response, {"email": self._data.email})
            case ["api", "domains"] if request.method == "POST":
                return self._create
            case ["api", "domains"]:
                return partial(json_response, self._data.domains)
            case ["api", "domains", domain_id]:
                return partial(self._figures, request, domain_id, "stats")
            case ["api", "domains", domain_id, endpoint] if endpoint in self._endpoints:
                return partial(self._figures, request, domain_id, endpoint.lower())
        raise Refusal(404, "Not Found")

    def _create(self) -> Response:
        """Count a creation, and respond as if there were a new domain."""
        self.creations += 1
        snippet = SNIPPET.format("new.example")
        none = {"visitors": 0, "pageviews": 0, "bounce": 0, "track_snippet": snippet}
        return json_response({"address": "new.example", **none})

    def _figures(self, request: Request, domain_id: str, endpoint: str) -> Response:
        self._check_plan(domain_id)
        domain = self._data.domain(int(domain_id)) if domain_id.isdecimal() else None
        if domain is None:
            raise Refusal(404, "Not Found")
        if endpoint == "current":
            return json_response(self._data.figures("current", domain.id))
        first, last = window_of(request, self._data.today)
        filters = filters_of(request)
        if endpoint != "goals":
            self._check_goal(domain.id, filters)
        query = (endpoint, domain.id, first, last, filters)
        now = self._data.now
        # Figures of a settled window do not depend on the clock.
        key = (query, None if is_settled(last, now) else now)
        return self._cache.get(key, lambda: json_response(self._data.figures(*query)))

    def _check_plan(self, domain_id: str) -> None:
        ended = {str(ended) for ended in self._rules.ended_domains}
        if self._rules.ended_account or domain_id in ended:
            raise Refusal(403, "Forbidden", details="Probably no working subscription")

    def _check_goal(self, domain_id: int, filters: Filters) -> None:
        goals = {goal.id for goal in self._data.goals(domain_id)}
        if filters.goal_id is not None and filters.goal_id not in goals:
            raise Refusal(404, "Not Found")


def token_of(request: Request) -> str | None:
    """Return the client's token; a header, even a wrong one, has precedence over the query."""
    header = request.headers.get("authorization")
    if header is None:
        return request.parameter("token")
    return header.replace("Bearer", "").strip()
