"""The analytics host: routes, access, and the order in which it objects.

Credentials come first (401), then the route (404), the method (405), the rate (429), the
company key (403) and the parameters (400). None of this is documented but the 400.
"""

import base64
import binascii
from collections import deque
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote

from sandbox.exchange import Request, Response
from sandbox.khoros import replies
from sandbox.khoros.catalog import EXPORTS, Export
from sandbox.khoros.data import Data
from sandbox.khoros.errors import Refusal, refuse
from sandbox.khoros.jobs import Counts, Job, Jobs
from sandbox.khoros.parameters import parameters_of
from sandbox.khoros.places import LOCALES
from sandbox.khoros.query import TooManyBucketsError
from sandbox.khoros.storage import Links
from sandbox.khoros.switches import Switches

PREFIX = "/api/public"
REPORTS = f"{PREFIX}/reports/report/"
GET_ONLY = ("GET",)


class Route(NamedTuple):
    """What a path stands for; ``is_limited`` routes count for the rate limit."""

    methods: tuple[str, ...]
    respond: Callable[[Request], Response]
    is_limited: bool
    token: str = ""


class Api:
    """The vendor's side: a function from request to answer; paths come undecoded."""

    def __init__(self, data: Data, switches: Switches, jobs: Jobs, links: Links) -> None:
        """Serve these data under these switches."""
        self.url = ""  # the address as clients know it; empty takes the Host header's
        self._data = data
        self._switches = switches
        self._jobs = jobs
        self._links = links
        self._rate = _Rate(switches, data)
        self.counts: Counts = jobs.counts

    async def respond(self, request: Request) -> Response:
        """Response a request as the vendor's server does."""
        try:
            return self._answer(request)
        except Refusal as refusal:
            return refuse(refusal, bare=self._switches.empty_400)

    def _answer(self, request: Request) -> Response:
        self._check_credentials(request)
        route = self._route(request.path)
        if request.method not in route.methods:
            status = self._switches.wrong_method_status
            raise Refusal(status, f"Request method '{request.method}' not supported")
        if route.is_limited and (wait := self._rate.wait()):
            return self._refuse_rate(wait)
        self._check_key(request, route.token)
        return route.respond(request)

    def _check_credentials(self, request: Request) -> None:
        switches = self._switches
        if credentials_of(request) != (switches.username, switches.password):
            raise Refusal(401, "Bad credentials")

    def _check_key(self, request: Request, token: str) -> None:
        key, own = request.parameter("companyKey"), request.parameter("analyticsAccessToken")
        if key != self._switches.company_key and not (token and own == token):
            raise Refusal(403, "Access is denied")

    def _refuse_rate(self, wait: float) -> Response:
        self.counts.refused_by_rate += 1
        answer = refuse(Refusal(429, "Too many requests"))
        if not self._switches.has_retry_after:
            return answer
        seconds = str(int(wait) + 1)
        return Response(429, answer.body, answer.content_type, (("retry-after", seconds),))

    def _route(self, path: str) -> Route:
        """Find a route; /reports/jobs is gone since 2020.

        Raises:
            Refusal: 404 for any other path.
        """
        if path == f"{PREFIX}/teams":
            return Route(GET_ONLY, self._teams, is_limited=False)
        if path == f"{PREFIX}/config/timezones":
            return Route(GET_ONLY, self._timezones, is_limited=False)
        if not path.startswith(REPORTS):
            raise Refusal(404, "Not found")
        match path.removeprefix(REPORTS).split("/"):
            case [workflow_id, run_id, "status" | "download" as what]:
                return self._job_route(workflow_id, run_id, what)
            case ["marketing", name]:
                return self._export_route(name, is_marketing=True)
            case [name]:
                return self._export_route(name, is_marketing=False)
        raise Refusal(404, "Not found")

    def _export_route(self, name: str, *, is_marketing: bool) -> Route:
        export = EXPORTS.get(name)
        is_there = export is not None and export.marketing is is_marketing
        if export is None or not is_there or (is_marketing and not self._switches.has_brand_posts):
            raise Refusal(404, f"Unknown report type {name}")
        return Route(
            self._methods_of(export), lambda request: self._create(request, export), is_limited=True
        )

    def _methods_of(self, export: Export) -> tuple[str, ...]:
        own = self._switches.methods.get(export.id)
        lenient = ("GET",) if self._switches.lenient_methods else ()
        return tuple(own) if own is not None else (*export.methods, *lenient)

    def _job_route(self, workflow_id: str, run_id: str, what: str) -> Route:
        if "+" in run_id and not self._switches.lenient_ids:
            raise Refusal(404, "Not found: ids have to be URL-encoded")
        job = self._jobs.find(unquote(workflow_id), unquote(run_id))
        if job is None:
            raise Refusal(404, "There is no such job")
        respond = {"status": self._status, "download": self._download}[what]
        return Route(
            GET_ONLY, lambda request: respond(request, job), is_limited=True, token=job.token
        )

    def _create(self, request: Request, export: Export) -> Response:
        pairs = parameters_of(request, export, self._switches.body_types)
        try:
            query = self._data.query_of(export, pairs)
        except TooManyBucketsError as error:
            return replies.reply(error.message, self._switches, is_creation=True)
        if export.id in self._switches.creation_errors:
            return replies.reply(
                self._switches.creation_errors[export.id], self._switches, is_creation=True
            )
        file = self._data.recipe(query)
        job = self._jobs.create(query, (export.id, tuple(pairs)), file)
        return replies.creation(job, self._base(request), self._switches)

    def _status(self, request: Request, job: Job) -> Response:
        return replies.status(job, self._jobs.poll(job), self._base(request), self._switches)

    def _download(self, _request: Request, job: Job) -> Response:
        if not self._jobs.download(job):
            raise Refusal(404, "The report is not there yet")
        return Response(307, headers=(("location", self._links.make(job)),))

    def _base(self, request: Request) -> str:
        own = self.url or f"http://{request.headers.get('host', '')}"
        return self._switches.foreign_url or own

    def _teams(self, request: Request) -> Response:
        _check_known(request, {"companyKey"})
        return replies.teams(self._data.teams, self._switches)

    def _timezones(self, request: Request) -> Response:
        _check_known(request, {"companyKey", "locale"})
        if (request.parameter("locale") or "en") not in LOCALES:
            raise Refusal(400, f"locale is none of {', '.join(LOCALES)}")
        return replies.reply(self._data.timezones, self._switches)


def credentials_of(request: Request) -> tuple[str, str] | None:
    """Give the user and the password of HTTP Basic; None without any that can be read."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if colon else None


def _check_known(request: Request, known: set[str]) -> None:
    if unknown := [name for name, _ in request.query if name not in known]:
        raise Refusal(400, f"Unknown parameter {unknown[0]}")


class _Rate:
    """How many requests there were in the window that ends now."""

    def __init__(self, switches: Switches, data: Data) -> None:
        self._switches = switches
        self._clock = data.clock
        self._taken: deque[float] = deque()

    def wait(self) -> float:
        """Take a request; 0 when it is within the limit, else the seconds until one is again."""
        limit, window, now = (
            self._switches.rate_limit,
            self._switches.rate_window,
            self._clock.seconds,
        )
        if limit is None:
            return 0.0
        while self._taken and self._taken[0] <= now - window:
            self._taken.popleft()
        if len(self._taken) >= limit:
            return self._taken[0] + window - now
        self._taken.append(now)
        return 0.0
