"""Attacks by a store of files: its list of objects, and the objects themselves."""

from __future__ import annotations

import secrets

from tests.attacks.accounts import S3_EVENT, S3_FILE, S3_INDEX, S3_LIST, s3_list, to
from tests.attacks.attack import Attack
from tests.attacks.server import Heard, Reply, drip, endless, head, reply
from tests.attacks.sizes import GZIP, MIB, gzip_of_spaces, late

_PART = ("Content-Length", len(S3_EVENT))
_INDEX = b"filename,min_timestamp,max_timestamp\n"


def _endless_list(_: Heard) -> list[bytes]:
    token = secrets.token_hex(16)
    more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>"
    body = s3_list("", more)
    return [head(200, ("Content-Length", len(body))), body]


def _store(tried: str, route: str, answer: Reply, **more: object) -> Attack:
    return Attack("store", tried, "kissmetrics s3", {route: answer}, **more)  # type: ignore[arg-type]


STORES = [
    _store("a list of files without end", S3_LIST, _endless_list, says="has no end", seconds=120.0),
    _store(
        "a list with files that climb",
        S3_LIST,
        reply(s3_list("<Contents><Key>revisions/../../etc/2.json</Key><Size>9</Size></Contents>")),
        rows=1,
        never="etc",
    ),
    _store(
        "an index with a file that climbs",
        S3_INDEX,
        reply(_INDEX + b"revisions/../../secret/1.json,,\n"),
        says="must name a file such as",
        never="secret",
    ),
    _store(
        "an index of 70 MiB",
        S3_INDEX,
        late(lambda: _INDEX + b"revisions/1.json,5,6\n" * (70 * MIB // 21)),
    ),
    _store(
        "an object of 1 GiB of spaces in gzip",
        S3_FILE,
        late(lambda: gzip_of_spaces(1024), GZIP, status=206),
        says="longer than",
    ),
    _store(
        "an object without end",
        S3_FILE,
        endless(head(206), b"x" * 65_536),
        says="longer than",
    ),
    _store(
        "an object that arrives byte by byte",
        S3_FILE,
        drip(S3_EVENT, start=head(206, _PART)),
        seconds=120.0,
    ),
    _store(
        "an object with another ETag",
        S3_FILE,
        reply(S3_EVENT, 206, ("ETag", '"e2"')),
        says="written again",
    ),
    _store(
        "a redirect of an object to another host",
        S3_FILE,
        to("http://127.0.0.1:{port}/stolen"),
        says="redirects elsewhere",
        never="stolen",
    ),
    _store(
        "a region that is a host",
        S3_LIST,
        reply(b"", 301, ("x-amz-bucket-region", "evil.example/#")),
        says="redirects elsewhere",
    ),
]
