"""A bucket in S3, or in a store that is compatible with it, as a store of files.

Requests go through the kit, which bounds what arrives, retries, and follows no redirect. The
library of AWS finds the credentials and signs the requests.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

from tap_kit import JobFailed, Request, SyncFailed, quoted_path, setting_error

from tap_kissmetrics.raw_exports.credentials import CREDENTIALS, address_of
from tap_kissmetrics.raw_exports.index import MAX_FILES, REVISIONS, revision_of
from tap_kissmetrics.raw_exports.listing import parse_listing
from tap_kissmetrics.raw_exports.store import MissingFileError, Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_kit import Api, ErrorResponse, Run

    from tap_kissmetrics.raw_exports.credentials import Aws
    from tap_kissmetrics.raw_exports.settings import Location

    Check = Callable[[Mapping[str, str], bytes], str | None]

MAX_PAGES = 1_100  # of a listing; a page of AWS has 1,000 files
MAX_PAGE_BYTES = 4 << 20
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]{1,2}")
# The file as it is: a part of a compressed one cannot be unpacked.
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity"}
_PARTIAL = frozenset({200, 206})
_RESTORE = "restore it in S3, or set start_date to a later day"
_WRITTEN_AGAIN = "the file was written again while it was read; run again"
_CREDENTIALS = frozenset(
    {
        *("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"),
        *("TokenRefreshRequired", "InvalidSecurity", "RequestTimeTooSkewed"),
    }
)


class OtherRegionError(Exception):
    """The bucket is in another region."""


class Bucket:
    """The bucket at ``location``; ``setting`` is the place of its address in the settings."""

    def __init__(self, location: Location, setting: str, run: Run, aws: Aws) -> None:
        self.url = f"s3://{location.bucket}/{location.path}".rstrip("/")
        self._location = location
        self._setting = setting
        self._run = run
        self._aws = aws
        self._lock = threading.Lock()
        self._api: Api | None = None
        self._region = aws.region
        self._folders = [one for one in location.path.split("/") if one]

    def files(self) -> dict[int, Stored]:
        """Return the files of all revisions, by revision."""
        prefix = "/".join([*self._folders, REVISIONS, ""])
        found: dict[int, Stored] = {}
        token: str | None = None
        tokens: set[str] = set()
        for _ in range(MAX_PAGES):
            params = {"list-type": "2", "prefix": prefix, "encoding-type": "url"}
            more = {"continuation-token": token} if token else {}
            request = Request("/", {**params, **more}, headers=_HEADERS)
            page = parse_listing(self._read_list(request), self.url)
            for key, stored in page.files:
                revision = revision_of(f"{REVISIONS}/{key.removeprefix(prefix)}")
                if revision is not None:
                    found[revision] = stored
            if len(found) > MAX_FILES:
                msg = f"{self.url}: it has more than {MAX_FILES:,} files"
                raise SyncFailed(msg)
            token = page.next_token
            if token is None:
                return found
            if token in tokens:
                break
            tokens.add(token)
        msg = f"{self.url}: the list of its files has no end"
        raise SyncFailed(msg)

    def _read_list(self, request: Request) -> bytes:
        try:
            return self._read(request, MAX_PAGE_BYTES, self._list_problem)
        except MissingFileError:
            raise self._no_bucket() from None

    def _list_problem(self, _: Mapping[str, str], body: bytes) -> str | None:
        try:
            parse_listing(body, self.url)
        except SyncFailed as error:
            return str(error)
        return None

    def read_whole(self, file: str, limit: int) -> bytes:
        """Return a file of CSV that has at most ``limit`` bytes."""
        return self._read(Request(self._path(file), headers=_HEADERS), limit, _csv_problem)

    def read_part(self, file: str, stored: Stored, start: int, length: int) -> bytes:
        """Return a part of a file that is still the one that was listed."""
        if not length:
            return b""
        span = {"Range": f"bytes={start}-{start + length - 1}", "If-Match": f'"{stored.etag}"'}
        request = Request(self._path(file), headers={**_HEADERS, **span}, statuses=_PARTIAL)

        def problem(headers: Mapping[str, str], body: bytes) -> str | None:
            etag = headers.get("ETag", "").removeprefix("W/").strip('"')
            if etag not in {"", stored.etag}:  # the store does not know If-Match
                raise self._written_again(file)
            is_short = len(body) < length
            return f"the response has {len(body):,} of {length:,} bytes" if is_short else None

        return self._read(request, length, problem)

    def _path(self, file: str) -> str:
        segments = [*self._folders, *file.split("/")]
        return quoted_path("/{}" * len(segments), *segments)

    def _written_again(self, file: str) -> JobFailed:
        return JobFailed(f"{self.url}: {file}: {_WRITTEN_AGAIN}")

    def _read(self, request: Request, limit: int, check: Check) -> bytes:
        """Return the body of a request; in the region of the bucket, once S3 has named it."""
        try:
            return self._opened().fetch_bytes(request, limit, check)
        except OtherRegionError as error:
            self._move_to(str(error))
        try:
            return self._opened().fetch_bytes(request, limit, check)
        except OtherRegionError:
            problem = f"leads to a bucket that is in no region: {self.url}"
            raise setting_error(self._setting, problem) from None

    def _opened(self) -> Api:
        with self._lock:
            if self._api is None:
                self._api = self._run.open_api(
                    address_of(self._aws, self._location.bucket, self._region),
                    auth=self._aws.signer(self._region),
                    error_for=self._error_for,
                )
            return self._api

    def _move_to(self, region: str) -> None:
        with self._lock:  # only the first request leads here, which no other one accompanies
            self._region, self._api = region, None

    def _error_for(self, response: ErrorResponse) -> Exception:
        """Return what an error response means; ``detail`` is the code of the error."""
        region = response.headers.get("x-amz-bucket-region", "")
        is_elsewhere = response.status in {301, 307, 400} and not self._aws.endpoint
        if is_elsewhere and region != self._region and _REGION.fullmatch(region):
            return OtherRegionError(region)
        code = response.detail or f"HTTP {response.status}"
        if code == "NoSuchBucket":
            return self._no_bucket()
        if response.status == 404:
            return MissingFileError(response.source)
        return _error(response.status, code, f"{self.url}: {response.source}", self._setting)

    def _no_bucket(self) -> Exception:
        return setting_error(self._setting, f"names no bucket: {self.url}")


def _csv_problem(_: Mapping[str, str], body: bytes) -> str | None:
    is_csv = body.lstrip()[:1] not in _NOT_CSV
    return None if is_csv else "the response is not CSV"


_NOT_CSV = (b"", b"<", b"{", b"[")  # nothing, a web page, an error


def _error(status: int, code: str, where: str, setting: str) -> Exception:
    """Return the error for the status and the code of an error response."""
    wrong, problem = "", ""
    if code in _CREDENTIALS:
        wrong, problem = CREDENTIALS, f"were rejected ({code}): {where}"
    elif code == "InvalidObjectState":  # of Glacier, with HTTP 403
        return JobFailed(f"{where}: the file is archived ({code}); {_RESTORE}")
    elif status == 403:
        needs = "it needs s3:ListBucket and s3:GetObject"
        wrong, problem = setting, f"cannot be read ({code}); {needs}: {where}"
    elif status < 400:
        wrong, problem = "aws_endpoint_url", f"redirects elsewhere (HTTP {status}): {where}"
    if problem:
        return setting_error(wrong, problem)
    if status in {412, 416}:
        return JobFailed(f"{where}: {_WRITTEN_AGAIN}")
    return SyncFailed(f"{where}: {code}")
