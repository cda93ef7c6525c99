"""The analytics host: routes, access, and the order in which it checks a request.

It checks the credentials (401), then the route (404), the method (405), the rate limit (429), the
company key (403) and the parameters (400). Of these only the 400 is documented.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple
from urllib.parse import unquote

from sandbox.exchange import Refusal, Request, Response
from sandbox.khoros import responses
from sandbox.khoros.catalog import EXPORTS, Export
from sandbox.khoros.data import Data
from sandbox.khoros.errors import refuse
from sandbox.khoros.jobs import Job, Jobs
from sandbox.khoros.parameters import parameters_of
from sandbox.khoros.places import LOCALES
from sandbox.khoros.query import TooManyBucketsError
from sandbox.khoros.storage import Links
from sandbox.khoros.switches import Switches
from sandbox.ratelimit import RateLimit

PREFIX = "/api/public"
REPORTS = f"{PREFIX}/reports/report/"
GET_ONLY = ("GET",)


class Route(NamedTuple):
    """What serves a path; the rate limit counts the requests of ``is_limited`` routes."""

    methods: tuple[str, ...]
    respond: Callable[[Request], Response]
    is_limited: bool
    token: str = ""


class Api:
    """The vendor's server: a function from request to response; paths are not decoded."""

    def __init__(self, data: Data, switches: Switches, jobs: Jobs, links: Links) -> None:
        """Serve these data under these switches."""
        self._data = data
        self._switches = switches
        self._jobs = jobs
        self._links = links
        self._rate_limit = RateLimit()

    async def respond(self, request: Request) -> Response:
        """Return the response of the vendor's server."""
        try:
            return self._respond(request)
        except Refusal as refusal:
            return refuse(refusal, bare=self._switches.empty_400)

    def _respond(self, request: Request) -> Response:
        switches = self._switches
        if request.basic_credentials != (switches.username, switches.password):
            raise Refusal(401, "Bad credentials")
        route = self._route(request.path)
        if request.method not in route.methods:
            status = switches.wrong_method_status
            raise Refusal(status, f"Request method '{request.method}' not supported")
        if route.is_limited:
            self._check_rate()
        self._check_key(request, route.token)
        return route.respond(request)

    def _check_rate(self) -> None:
        switches = self._switches
        if switches.rate_limit is None:
            return
        now = self._data.clock.seconds
        if wait := self._rate_limit.wait(switches.rate_limit, switches.rate_window, now):
            self._jobs.counts.refused_by_rate += 1
            header = (("retry-after", str(int(wait) + 1)),) if switches.has_retry_after else ()
            raise Refusal(429, "Too many requests", header)

    def _check_key(self, request: Request, token: str) -> None:
        key, own = request.parameter("companyKey"), request.parameter("analyticsAccessToken")
        if key != self._switches.company_key and not (token and own == token):
            raise Refusal(403, "Access is denied")

    def _route(self, path: str) -> Route:
        """Return the route of a path; the vendor removed /reports/jobs in 2020.

        Raises:
            Refusal: 404 for an unknown path.
        """
        if path == f"{PREFIX}/teams":
            return Route(GET_ONLY, self._teams, is_limited=False)
        if path == f"{PREFIX}/config/timezones":
            return Route(GET_ONLY, self._timezones, is_limited=False)
        if not path.startswith(REPORTS):
            raise Refusal(404, "Not found")
        match path.removeprefix(REPORTS).split("/"):
            case [workflow_id, run_id, "status"]:
                return self._job_route(workflow_id, run_id, self._status)
            case [workflow_id, run_id, "download"]:
                return self._job_route(workflow_id, run_id, self._download)
            case ["marketing", name]:
                return self._export_route(name, is_marketing=True)
            case [name]:
                return self._export_route(name, is_marketing=False)
        raise Refusal(404, "Not found")

    def _export_route(self, name: str, *, is_marketing: bool) -> Route:
        export = EXPORTS.get(name)
        is_known = export is not None and export.marketing is is_marketing
        if export is None or not is_known or (is_marketing and not self._switches.has_brand_posts):
            raise Refusal(404, f"Unknown report type {name}")
        create = partial(self._create, export)
        return Route(self._methods_of(export), create, is_limited=True)

    def _methods_of(self, export: Export) -> tuple[str, ...]:
        own = self._switches.methods.get(export.id)
        lenient = GET_ONLY if self._switches.lenient_methods else ()
        return tuple(own) if own is not None else (*export.methods, *lenient)

    def _job_route(
        self, workflow_id: str, run_id: str, respond: Callable[[Job, Request], Response]
    ) -> Route:
        if "+" in run_id and not self._switches.lenient_ids:
            raise Refusal(404, "Not found: ids must be URL-encoded")
        job = self._jobs.find(unquote(workflow_id), unquote(run_id))
        if job is None:
            raise Refusal(404, "There is no such job")
        return Route(GET_ONLY, partial(respond, job), is_limited=True, token=job.token)

    def _create(self, export: Export, request: Request) -> Response:
        pairs = parameters_of(request, export, self._switches.body_types)
        try:
            query = self._data.query_of(export, pairs)
        except TooManyBucketsError as error:
            return responses.result(error.message, self._switches, is_creation=True)
        error_text = self._switches.creation_errors.get(export.id)
        if error_text is not None:
            return responses.result(error_text, self._switches, is_creation=True)
        file = self._data.recipe(query)
        job = self._jobs.create(query, (export.id, tuple(pairs)), file)
        return responses.creation(job, self._base(request), self._switches)

    def _status(self, job: Job, request: Request) -> Response:
        return responses.status(job, self._jobs.poll(job), self._base(request), self._switches)

    def _download(self, job: Job, _request: Request) -> Response:
        if not self._jobs.download(job):
            raise Refusal(404, "The report is not ready")
        return Response(307, headers=(("location", self._links.make(job)),))

    def _base(self, request: Request) -> str:
        own = self._switches.api_url or f"http://{request.headers.get('host', '')}"
        return self._switches.foreign_url or own

    def _teams(self, request: Request) -> Response:
        _check_known(request, {"companyKey"})
        return responses.teams(self._data.teams, self._switches)

    def _timezones(self, request: Request) -> Response:
        _check_known(request, {"companyKey", "locale"})
        if (request.parameter("locale") or "en") not in LOCALES:
            raise Refusal(400, f"locale must be one of {', '.join(LOCALES)}")
        return responses.result(self._data.timezones, self._switches)


def _check_known(request: Request, known: set[str]) -> None:
    if unknown := [name for name, _ in request.query if name not in known]:
        raise Refusal(400, f"Unknown parameter {unknown[0]}")
