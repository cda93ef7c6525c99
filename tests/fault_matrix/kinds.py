"""The kinds of faults, and with which words a run ends when one of them does not pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TOO_LATE_MS = 300
TIMEOUT_S = 0.15  # settings allow whole seconds; a matrix of a thousand time-outs needs less


@dataclass(frozen=True)
class Kind:
    """One way to go wrong: the sandbox's fault, and what the tap says when it stays."""

    name: str
    fault: dict[str, Any]
    words: tuple[str, ...]  # one of them stands in the last message

    @property
    def is_slow(self) -> bool:
        """Whether the tap's time-out is what notices it."""
        return "wait_ms" in self.fault


NOT_JSON = ("is not JSON", "no list of rows", "ends in the middle", "no table")
BROKEN = ("connection broke off",)
KINDS = (
    *(
        Kind(str(status), {"status": status}, (f"HTTP {status}",))
        for status in (500, 502, 503, 429, 408)
    ),
    Kind("429, Retry-After", {"status": 429, "retry_after": 1}, ("asks to wait", "HTTP 429")),
    Kind("503, Retry-After", {"status": 503, "retry_after": 1}, ("asks to wait", "HTTP 503")),
    Kind("reset before the answer", {"kind": "reset"}, BROKEN),
    Kind("reset in the body", {"kind": "reset_body"}, BROKEN),
    Kind("cut body", {"kind": "cut_body"}, BROKEN),
    Kind("half of the JSON", {"kind": "bad_json"}, (*NOT_JSON, *BROKEN)),
    Kind("empty body", {"kind": "empty"}, NOT_JSON),
    Kind("slow answer", {"kind": "stall", "wait_ms": TOO_LATE_MS}, ("no answer within",)),
    Kind("slow body", {"kind": "slow_body", "wait_ms": TOO_LATE_MS}, ("no answer within",)),
    Kind("HTML with 200", {"kind": "html"}, NOT_JSON),
    Kind("JSON of another shape", {"kind": "wrong_shape"}, ("expected", *NOT_JSON)),
    Kind(
        "JSON of other fields",
        {"kind": "other_fields"},
        ("expected", "not done after", "without saying its ids", "none of its columns"),
    ),
    Kind(
        "wrong Content-Encoding", {"kind": "wrong_encoding"}, ("compression is broken", *NOT_JSON)
    ),
)
