"""Attacks on the log: control characters, long texts, floods of lines, and our own secrets."""

from __future__ import annotations

import base64
import html
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from tests.attacks.accounts import (
    DOWNLOAD,
    KEY,
    PASSWORD,
    POLL,
    PRODUCT,
    REPORT,
    RESULTS,
    RUN,
    START,
    STORED,
    TOKEN,
    envelope,
    job_state,
)
from tests.attacks.attack import Attack
from tests.attacks.server import Heard, Reply, head, raw, reply
from tests.attacks.sizes import DOMAINS, PAGES

if TYPE_CHECKING:
    from collections.abc import Callable

# ESC, BEL, a C1 control, marks of direction, separators of lines, a tag, a forged line.
EVIL = (
    "\x1b[2J\x1b]0;x\x07\x9b31m\u202egnp\u2066\u200f\u2028\u2029\u0085\ufeff\U000e0041\x7f\0"
    "\r\n2026-01-01 00:00:00,000 | ERROR    | tap | forged\b\b"
)
MB = 1_000_000
DEBUG = {"LOGLEVEL": "DEBUG", "TAP_KINDMETRICS_LOGLEVEL": "DEBUG"}


def _log(tried: str, account: str, route: str, answer: Reply, **more: Any) -> Attack:
    return Attack("log", tried, account, {route: answer}, **more)


def _row(**more: object) -> dict[str, Any]:
    return {"address": "/a", "visitors": 1, "percentage": 1, **more}


def _latin(text: str) -> bytes:
    return text.replace("\r", "").replace("\n", " ").encode()


LOGS = [
    _log(
        "control characters in the reason of an error",
        "kindmetrics",
        PAGES,
        reply({"message": EVIL}, 400),
    ),
    _log(
        "control characters in an error in plain text",
        "kindmetrics",
        PAGES,
        reply(EVIL.encode(), 422),
    ),
    _log(
        "control characters in the reason of a rejected start",
        "khoros",
        START,
        reply({"message": EVIL}, 400),
    ),
    _log(
        "control characters in the text of an exception",
        "khoros",
        START,
        reply({"status": "FAIL", "result": EVIL}),
    ),
    _log("control characters in the detail of a job", "khoros", POLL, reply(job_state(EVIL))),
    _log("control characters in a status", "khoros", START, reply({"status": EVIL, "result": {}})),
    _log(
        "control characters in an unknown field",
        "kindmetrics",
        PAGES,
        reply([_row(**{EVIL: 1})]),
        rows=1,
        says="not in the",
    ),
    _log(
        "control characters in an unknown column",
        "khoros",
        STORED,
        reply([{"STATUS": "a", EVIL: "b"}]),
        rows=1,
    ),
    _log(
        "control characters in a CSV header",
        "khoros",
        STORED,
        reply(b'STATUS,"' + EVIL.encode() + b'"\na,b\n'),
        rows=1,
        settings={"report_format": "csv"},
    ),
    _log(
        "control characters in the keys of an envelope",
        "khoros",
        "GET /api/public/teams",
        reply({EVIL: 1}),
        streams=("teams",),
    ),
    _log(
        "control characters in a link",
        "kissmetrics",
        "GET /core/products",
        reply({**envelope([{"id": "x"}]), "links": [{"rel": "next", "href": f"/x/{EVIL}"}]}),
        streams=("products",),
    ),
    _log(
        "control characters in a Location",
        "kissmetrics",
        RUN,
        raw(
            b"HTTP/1.1 202 OK\r\nLocation: /v2/"
            + _latin(EVIL)
            + b"\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
        ),
    ),
    _log(
        "control characters in the Location of a download",
        "khoros",
        DOWNLOAD,
        raw(
            b"HTTP/1.1 307 OK\r\nLocation: http://127.0.0.1:1/"
            + _latin(EVIL)
            + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ),
    ),
    _log(
        "control characters in a time zone",
        "kissmetrics",
        "GET /core/products",
        reply(envelope([{**PRODUCT, "timezone": EVIL}])),
        rows=1,
    ),
    _log(
        "control characters in the name and id of a report",
        "kissmetrics",
        "GET /core/reports",
        reply(envelope([{**REPORT, "name": EVIL, "id": EVIL}])),
    ),
    _log(
        "control characters in the type of a report",
        "kissmetrics",
        "GET /core/reports",
        reply(envelope([{**REPORT, "report_type": EVIL}])),
        rows=0,
    ),
    _log(
        "control characters in the labels of columns",
        "kissmetrics",
        RESULTS,
        reply({"total": 1, "data": [[1, "i", 1]], "columns": ["a", "b", EVIL]}),
        rows=1,
    ),
    _log(
        "control characters in Content-Type",
        "kindmetrics",
        PAGES,
        reply(b"[]", 200, ("Content-Type", "text/json; charset=" + EVIL.replace("\r\n", " "))),
        rows=0,
    ),
    _log(
        "control characters in Content-Encoding",
        "kindmetrics",
        PAGES,
        reply(b"[]", 200, ("Content-Encoding", "\x1b[2J\x07")),
        rows=0,
    ),
    _log(
        "control characters in every field at level DEBUG",
        "kindmetrics",
        PAGES,
        reply({"message": EVIL}, 400, ("X-A", "\x1b[2J")),
        environment=DEBUG,
    ),
    _log("an error of 2 MB", "khoros", START, reply({"message": "x" * 2 * MB}, 400)),
    _log("an exception of 2 MB", "khoros", START, reply({"result": "x y " * (MB // 2)})),
    _log("a detail of 2 MB", "khoros", POLL, reply(job_state("x" * 2 * MB))),
    _log(
        "an unknown field with a name of 2 MB",
        "kindmetrics",
        PAGES,
        reply([_row(**{"x" * 2 * MB: 1})]),
        rows=1,
    ),
    _log(
        "a report name of 2 MB",
        "kissmetrics",
        "GET /core/reports",
        reply(envelope([{**REPORT, "name": "x" * 2 * MB}])),
        rows=1,
    ),
    _log(
        "100,000 unknown fields",
        "kindmetrics",
        PAGES,
        reply([_row(**{f"f{n}": 1}) for n in range(100_000)]),
        rows=100_000,
        seconds=120,
    ),
    _log(
        "100,000 unknown fields in one row",
        "kindmetrics",
        PAGES,
        reply([_row(**{f"f{n}": 1 for n in range(100_000)})]),
        rows=1,
    ),
    _log(
        "100,000 reports that cannot be run",
        "kissmetrics",
        "GET /core/reports",
        reply(
            envelope([{**REPORT, "id": f"r{n}", "report_type": f"t{n}"} for n in range(100_000)])
        ),
        rows=0,
        seconds=120,
    ),
    _log(
        "5,000 domains that are refused",
        "kindmetrics",
        DOMAINS,
        reply([{"id": n + 2, "address": "a"} for n in range(5000)]),
        rows=0,
        seconds=200,
    ),
]


def basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def shifted(text: str) -> str:
    """Return a secret in base64 inside a longer text, so that its bytes have another place."""
    return base64.b64encode(f"x{text}".encode()).decode()


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "percent-encoded": lambda text: quote(text, safe=""),
    "percent-encoded in lower case": lambda text: (
        quote(text, safe="").lower()
        if text.islower()
        else quote(text, safe="").replace("%2F", "%2f")
    ),
    "as in a form": quote_plus,
    "percent-encoded twice": lambda text: quote(quote(text, safe=""), safe=""),
    "in JSON": json.dumps,
    "in JSON, twice": lambda text: json.dumps(json.dumps(text)),
    "in HTML": html.escape,
    "in HTML by number": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "as JavaScript": lambda text: "".join(f"\\u{ord(one):04x}" for one in text),
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "in Python": repr,
    "in hexadecimal": lambda text: text.encode().hex(),
}


def _quoting(secret: str, spelling: Callable[[str], str], status: int = 400) -> Reply:
    text = f"rejected {spelling(secret)} as wrong"
    return reply(text.encode(), status)


def echo(request: Heard) -> list[bytes]:
    """Return an error that quotes all headers and the address of the request."""
    text = f"rejected {request.authorization} {request.path}".encode()
    return [head(422, ("Content-Length", len(text)), ("X-Auth", request.authorization)), text]


SECRETS = [
    *(
        Attack(
            "secrets",
            f"the token {name}, in an error",
            "kindmetrics",
            {PAGES: _quoting(TOKEN, spelling)},
        )
        for name, spelling in SPELLINGS.items()
    ),
    *(
        Attack(
            "secrets",
            f"the company key {name}, in an error",
            "khoros",
            {START: _quoting(KEY, spelling)},
        )
        for name, spelling in SPELLINGS.items()
        if name != "as it is"
    ),
    Attack("secrets", "our own header in an error", "khoros", {START: echo}),
    Attack("secrets", "our own header in an error", "kindmetrics", {PAGES: echo}),
    Attack(
        "secrets",
        "our own header in an error, at level DEBUG",
        "kindmetrics",
        {PAGES: echo},
        environment=DEBUG,
    ),
    Attack(
        "secrets",
        "our own header in an error, at level DEBUG",
        "kissmetrics",
        {RUN: echo},
        environment=DEBUG,
    ),
    Attack(
        "secrets",
        "our own header in an exception",
        "khoros",
        {
            START: lambda request: reply({"result": f"x {request.authorization} {request.path}"})(
                request
            )
        },
    ),
    Attack(
        "secrets",
        "the password in the name of a field",
        "khoros",
        {STORED: reply([{"STATUS": "a", PASSWORD: "b", quote(PASSWORD, safe=""): "c"}])},
        rows=1,
    ),
    Attack(
        "secrets",
        "the token in a link",
        "kissmetrics",
        {
            "GET /core/products": reply(
                {
                    **envelope([{"id": "x"}]),
                    "links": [{"rel": "next", "href": f"/x/{quote(TOKEN)}"}],
                }
            )
        },
        streams=("products",),
    ),
    Attack(
        "secrets",
        "the token in a Location",
        "kissmetrics",
        {RUN: reply({}, 202, ("Location", f"/else/{quote(TOKEN, safe='')}"))},
    ),
    Attack(
        "secrets",
        "the token, cut in the middle by the limit of a line",
        "kindmetrics",
        {PAGES: reply(("x" * 190 + TOKEN).encode(), 400)},
    ),
    Attack(
        "secrets",
        "an access token in the URL of a job",
        "khoros",
        {POLL: reply(job_state("FAILED"))},
    ),
]
