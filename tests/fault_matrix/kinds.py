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
    words: tuple[str, ...]  # one of them stands in the message
    alike: str = ""  # the kind that the tap cannot tell it from, which is tried everywhere

    @property
    def is_slow(self) -> bool:
        """Whether the tap's time-out is what notices it."""
        return "wait_ms" in self.fault


NOT_CSV = "is not CSV"
NOT_JSON = ("is not JSON", "is not a JSON array", "last row is complete", NOT_CSV)
BROKEN = ("connection was lost",)
KINDS = (
    Kind("500", {"status": 500}, ("HTTP 500",)),
    *(
        Kind(str(status), {"status": status}, (f"HTTP {status}",), alike="500")
        for status in (502, 503, 429, 408)
    ),
    Kind("429, Retry-After", {"status": 429, "retry_after": 1}, ("asks to wait",)),
    Kind(
        "503, Retry-After",
        {"status": 503, "retry_after": 1, "retry_after_date": True},
        ("asks to wait",),
        alike="429, Retry-After",
    ),
    Kind("reset before the response", {"kind": "reset"}, BROKEN),
    Kind("reset in the body", {"kind": "reset_body"}, BROKEN),
    Kind("cut body", {"kind": "cut_body"}, BROKEN),
    Kind("half of the JSON", {"kind": "bad_json"}, (*NOT_JSON, *BROKEN), alike="cut body"),
    Kind("empty body", {"kind": "empty"}, NOT_JSON, alike="HTML with 200"),
    Kind(
        "slow response",
        {"kind": "stall", "wait_ms": TOO_LATE_MS},
        ("no response within",),
        alike="slow body",
    ),
    Kind("slow body", {"kind": "slow_body", "wait_ms": TOO_LATE_MS}, ("no response within",)),
    Kind("HTML with 200", {"kind": "html"}, NOT_JSON),
    Kind("JSON with another structure", {"kind": "wrong_shape"}, ("expected", *NOT_JSON)),
    Kind(
        "JSON with other fields",
        {"kind": "other_fields"},
        ("expected", "not done after", "without saying its ids", "none of its columns", NOT_CSV),
    ),
    Kind(
        "wrong Content-Encoding", {"kind": "wrong_encoding"}, ("compression is invalid", *NOT_JSON)
    ),
)
