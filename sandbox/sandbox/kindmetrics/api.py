"""The API over HTTP: routes, access, and the order in which the server objects."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sandbox.exchange import Request, Response, json_response
from sandbox.kindmetrics.data import Data
from sandbox.kindmetrics.errors import Refusal, refuse, takes_json
from sandbox.kindmetrics.figures import SNIPPET, Filters, is_settled
from sandbox.kindmetrics.window import filters_of, window_of

KEPT_BYTES = 256 * 1024 * 1024
KEPT_ANSWERS = 20_000
ENDPOINTS = frozenset({"pages", "entry_pages", "sources", "countries", "current", "goals"})
ROUTE_OF_DOMAIN = 3  # parts of /api/domains/{id}
ReferrersRoute = Literal["server", "documented"]
# Documented in lower case, but the server's own route is spelled with a capital.
REFERRERS_ROUTES: dict[ReferrersRoute, str] = {"server": "Referrers", "documented": "referrers"}


@dataclass(frozen=True)
class Rules:
    """What the server is set to: see ``Kindmetrics``."""

    token: str
    ended_domains: frozenset[int]
    ended_account: bool
    referrers_route: ReferrersRoute
    has_me: bool
    known_hosts: frozenset[str]


class Api:
    """The vendor's side: a function from request to answer."""

    def __init__(self, data: Data, rules: Rules) -> None:
        """Serve this account under these rules."""
        self.creations = 0
        self._data = data
        self._rules = rules
        self._kept = _Answers()

    async def respond(self, request: Request) -> Response:
        """Response a request as the vendor's server does."""
        try:
            return self._redirect(request) or self._route(request)
        except Refusal as refusal:
            return refuse(refusal, request)

    def _redirect(self, request: Request) -> Response | None:
        """Send a client that came by another name to the root of the server's own.

        A name with www. before it keeps the path: the server only strips that part.
        """
        known = self._rules.known_hosts
        host, _, port = request.headers.get("host", "").partition(":")
        if not known or host in known:
            return None
        bare = host.removeprefix("www.")
        name, target = (bare, request.target) if bare in known else (min(known), "/")
        url = f"http://{name}:{port}{target}" if port else f"http://{name}{target}"
        return Response(301, headers=(("location", url),))

    def _route(self, request: Request) -> Response:
        parts = request.path.removeprefix("/").split("/")
        if not self._is_route(parts):
            raise Refusal(404, "Not Found")
        if not takes_json(request):
            raise Refusal(406, "Not Acceptable")
        creates = request.method == "POST" and parts == ["api", "domains"]
        if request.method != "GET" and not creates:
            raise Refusal(405, "Method Not Allowed")
        if token_of(request) != self._rules.token:
            raise Refusal(401, "Not authenticated.")
        if creates:
            return self._create()
        if parts == ["api", "me"]:
            return json_response({"email": self._data.email})
        if parts == ["api", "domains"]:
            return json_response(self._data.domains)
        return self._figures(request, parts[2], parts[3] if len(parts) > ROUTE_OF_DOMAIN else "")

    def _is_route(self, parts: list[str]) -> bool:
        """Whether the server has such a route; it tells upper from lower case."""
        if parts == ["api", "me"]:
            return self._rules.has_me
        if parts[:2] != ["api", "domains"]:
            return False
        referrers = REFERRERS_ROUTES[self._rules.referrers_route]
        is_known = len(parts) > ROUTE_OF_DOMAIN and parts[3] in {*ENDPOINTS, referrers}
        return len(parts) <= ROUTE_OF_DOMAIN or (len(parts) == ROUTE_OF_DOMAIN + 1 and is_known)

    def _create(self) -> Response:
        """Count a creation, and answer as if there were a new domain."""
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
            return json_response(self._data.answer("current", domain.id))
        first, last = window_of(request, self._data.today)
        filters = filters_of(request)
        if endpoint != "goals":
            self._check_goal(domain.id, filters)
        return self._kept_answer((endpoint.lower() or "stats", domain.id, first, last, filters))

    def _check_plan(self, domain_id: str) -> None:
        ended = {str(ended) for ended in self._rules.ended_domains}
        if self._rules.ended_account or domain_id in ended:
            raise Refusal(403, "Forbidden", details="Probably no working subscription")

    def _check_goal(self, domain_id: int, filters: Filters) -> None:
        own = {goal.id for goal in self._data.goals(domain_id)}
        if filters.goal_id is not None and filters.goal_id not in own:
            raise Refusal(404, "Not Found")

    def _kept_answer(self, question: tuple[str, int, date, date, Filters]) -> Response:
        """Response anew only when the clock can have changed the figures."""
        now = self._data.now
        key = (question, None if is_settled(question[3], now) else now)
        answer = self._kept.get(key)
        if answer is None:
            answer = json_response(self._data.answer(*question))
            self._kept.put(key, answer)
        return answer


def token_of(request: Request) -> str | None:
    """Give the token that the client shows; the header, even a wrong one, comes first."""
    header = request.headers.get("authorization")
    if header is None:
        return request.parameter("token")
    return header.replace("Bearer", "").strip()


class _Answers:
    """The answers given last, up to a number of them and of bytes (gzipped copies apart)."""

    def __init__(self) -> None:
        self._answers: OrderedDict[object, Response] = OrderedDict()
        self._bytes = 0

    def get(self, key: object) -> Response | None:
        return self._answers.get(key)

    def put(self, key: object, answer: Response) -> None:
        self._answers[key] = answer
        self._bytes += len(answer.body)
        while len(self._answers) > KEPT_ANSWERS or self._bytes > KEPT_BYTES:
            self._bytes -= len(self._answers.popitem(last=False)[1].body)
