"""The storage host: files behind links that are valid for a short time.

Its address differs from the API's, and it refuses requests with the API's credentials.
"""

import hashlib
from dataclasses import dataclass
from urllib.parse import quote

from sandbox.exchange import Request, Response
from sandbox.khoros.clock import Clock
from sandbox.khoros.data import File
from sandbox.khoros.jobs import Counts, Job
from sandbox.khoros.switches import Cut, Switches

BUCKET = "/care-analytics-exports/"
XML = "application/xml"
ERROR_BODIES = {
    "json": (b'{"message":"Internal server error"}', "application/json"),
    "xml": (b"<Error><Code>InternalError</Code><Message>Try again.</Message></Error>", XML),
}


@dataclass
class Link:
    """A signed link; ``expires`` is in seconds of the clock."""

    job: Job
    path: str
    expires: float
    uses: int = 0


@dataclass(frozen=True)
class Body:
    """A file to send, and where the body breaks off."""

    file: File
    content_type: str
    cut: Cut | None
    is_chunked: bool
    is_gzipped: bool


class Links:
    """The links that the API has signed, by their signature."""

    def __init__(self, clock: Clock, switches: Switches, counts: Counts) -> None:
        self._clock = clock
        self._switches = switches
        self._counts = counts
        self._links: dict[str, Link] = {}

    def make(self, job: Job) -> str:
        """Return a new signed link.

        Raises:
            RuntimeError: ``storage_url`` is not set.
        """
        if not self._switches.storage_url:
            msg = "set storage_url to the address of the storage server"
            raise RuntimeError(msg)
        text = f"{self._switches.seed} {job.run_id} {len(self._links)}"
        signature = hashlib.sha256(text.encode()).hexdigest()
        path = f"{BUCKET}{job.workflow_id}/{quote(job.run_id, safe='')}.{job.query.format}"
        life = self._switches.link_seconds
        self._links[signature] = Link(job, path, self._clock.seconds + life)
        signed = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires={life:g}"
        return f"{self._switches.storage_url}{path}?{signed}&X-Amz-Signature={signature}"

    def open(self, request: Request) -> Response | Body:
        """Return the file of a link, or an error in XML."""
        if self._has_credentials(request):
            self._counts.storage_credentials_seen += 1
            return _refusal(400, "InvalidArgument", "Only one auth mechanism allowed")
        link = self._links.get(request.parameter("X-Amz-Signature") or "")
        if link is None or link.path != request.path or request.method != "GET":
            return _refusal(403, "SignatureDoesNotMatch", "The signature does not match")
        uses = self._switches.link_uses
        is_used_up = uses is not None and link.uses >= uses
        if is_used_up or self._clock.seconds >= link.expires:
            return _refusal(403, "AccessDenied", "Request has expired")
        link.uses += 1
        return self._body(link.job, request)

    def _body(self, job: Job, request: Request) -> Response | Body:
        switches = self._switches
        job.bodies += 1
        error = switches.error_bodies.get(job.export)
        if error and job.bodies <= switches.error_body_downloads:
            return Response(200, *ERROR_BODIES[error])
        return Body(
            file=job.file(),
            content_type=switches.storage_type,
            cut=self._cut(job),
            is_chunked=switches.is_chunked,
            is_gzipped=switches.has_gzip and request.accepts_gzip,
        )

    def _cut(self, job: Job) -> Cut | None:
        fitting = (cut for cut in self._switches.cuts if cut.export in {"", job.export})
        return next((cut for cut in fitting if job.bodies <= cut.first), None)

    def _has_credentials(self, request: Request) -> bool:
        """Whether the request has any of the API's credentials."""
        secrets = {self._switches.password, self._switches.company_key, "analyticsAccessToken"}
        texts = [request.query_string, *request.headers.values()]
        is_found = any(secret in text for secret in secrets - {""} for text in texts)
        return is_found or "authorization" in request.headers


def _refusal(status: int, code: str, message: str) -> Response:
    text = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(status, text.encode(), XML)
