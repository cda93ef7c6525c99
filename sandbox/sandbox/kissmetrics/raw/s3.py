"""Serve raw data exports as S3: with moto, which is in the extra ``s3``."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote_to_bytes

from typing_extensions import override

from sandbox.exchange import Headers, Request, Response, Wire
from sandbox.faults import Fault
from sandbox.frame import Frame
from sandbox.kissmetrics.raw.export import RawExport
from sandbox.misbehaviour import with_retry_after
from sandbox.server import running

REGION = "us-east-1"
KEY, SECRET = "sandbox-key-id", "sandbox-secret-key"
# moto reads the service and the region of it, and does not verify it.
_AUTHORIZATION = (
    f"AWS4-HMAC-SHA256 Credential={KEY}/20260101/{REGION}/s3/aws4_request, "
    "SignedHeaders=host, Signature=none"
)
_CODES = {403: "AccessDenied", 404: "NoSuchKey", 412: "PreconditionFailed", 503: "SlowDown"}
Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]  # of the standard WSGI


class S3(Frame):
    """An S3 server with the log, the latency and the faults of the other sandboxes.

    moto keeps the buckets in the memory of the process, so all servers of a process share them.
    """

    decodes_path = False  # the names of objects have escapes

    def __init__(self, *, latency_ms: int = 0) -> None:
        """Delay every response by ``latency_ms``."""
        super().__init__(self._stored, latency_ms=latency_ms)
        self._moto = _moto()

    def create_bucket(self, bucket: str) -> None:
        """Create an empty bucket."""
        self._write(f"/{bucket}")

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Write an object, whose name is not quoted yet."""
        self._write(f"/{bucket}/{key}", body)

    def load(self, bucket: str, export: RawExport, prefix: str = "") -> None:
        """Create a bucket with an export; ``prefix`` ends with a slash."""
        self.create_bucket(bucket)
        for name, pieces in export.all_files():
            self.put(bucket, f"{prefix}{name}", b"".join(pieces))

    def _write(self, path: str, body: bytes = b"") -> None:
        headers = {"host": "localhost", "authorization": _AUTHORIZATION}
        environ = _environ(Request("PUT", path, "", (), headers, body), path.encode())
        response = _response_of(self._moto, environ)
        if response.status != 200:
            msg = f"the store refuses {path}: HTTP {response.status} {response.body.decode()}"
            raise ValueError(msg)

    async def _stored(self, request: Request) -> Response:
        environ = _environ(request, unquote_to_bytes(request.path))
        response = _response_of(self._moto, environ)
        if request.method == "HEAD":  # the server sends the length of the body, and not the body
            response = replace(response, body=bytes(_length(response.headers)))
        return replace(response, headers=_without_length(response.headers))

    @override
    async def _send(self, request: Request, fault: Fault | None, wire: Wire) -> None:
        if fault is not None and fault.kind == "status":
            await wire.whole(with_retry_after(fault, error_response(fault.status)))
            return
        # A part of a compressed object is not a part of the object.
        headers = {**request.headers, "accept-encoding": "identity"}
        await super()._send(replace(request, headers=headers), fault, wire)


def error_response(status: int) -> Response:
    """Return an error of S3."""
    code = _CODES.get(status, "InternalError" if status >= 500 else "InvalidRequest")
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>Made by a fault of the sandbox</Message></Error>"
    )
    return Response(status, body.encode(), "application/xml")


@dataclass
class Served:
    """A running store; ``url`` is its address."""

    url: str
    store: S3


@contextmanager
def serving(
    buckets: Mapping[str, RawExport], prefix: str = "", *, latency_ms: int = 0
) -> Iterator[Served]:
    """Serve a bucket for each export until the block ends; ``prefix`` ends with a slash."""
    store = S3(latency_ms=latency_ms)
    for bucket, export in buckets.items():
        store.load(bucket, export, prefix)
    with running(store) as server:
        yield Served(server.url, store)


def _moto() -> Application:
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415  (an extra)
        DomainDispatcherApplication,
        create_backend_app,
    )

    return DomainDispatcherApplication(create_backend_app)


def _environ(request: Request, path: bytes) -> Environ:
    """Return a request as WSGI has it; ``path`` is not quoted."""
    headers = {f"HTTP_{name.upper().replace('-', '_')}": v for name, v in request.headers.items()}
    host, _, port = request.headers.get("host", "localhost").partition(":")
    return {
        **headers,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path.decode("latin-1"),
        "RAW_URI": request.target,
        "QUERY_STRING": request.query_string,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "SERVER_NAME": host,
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def _response_of(application: Application, environ: Environ) -> Response:
    began: list[tuple[str, list[tuple[str, str]]]] = []
    body = b"".join(application(environ, lambda status, found, *_: began.append((status, found))))
    ((status, found),) = began
    headers = {name.lower(): value for name, value in found}
    kind = headers.pop("content-type", "application/octet-stream")
    return Response(int(status[:3]), body, kind, tuple(headers.items()))


def _length(headers: Headers) -> int:
    return int(dict(headers).get("content-length", 0))


def _without_length(headers: Headers) -> Headers:
    return tuple(one for one in headers if one[0] not in {"content-length", "date", "server"})
