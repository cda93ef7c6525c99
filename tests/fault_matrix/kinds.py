"""The kinds of faults, and the words of the error when such a fault is permanent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TOO_LATE_MS = 300
TIMEOUT_S = 0.15  # settings allow whole seconds only, too slow for a thousand timeouts


@dataclass(frozen=True)
class Kind:
    """A kind of fault: the sandbox's fault, and the tap's message when it is permanent."""

    name: str
    fault: dict[str, Any]
    words: tuple[str, ...]  # the message contains one of them
    same_as: str = ""  # the kind that looks the same to the tap, and is tried everywhere

    @property
    def is_slow(self) -> bool:
        """Whether the tap notices it by its timeout."""
        return "wait_ms" in self.fault


NOT_CSV = "is not CSV"
NOT_JSON = ("is not JSON", "is not a JSON array", "last row is complete", NOT_CSV)
BROKEN = ("connection was lost",)
KINDS = (
    Kind("500", {"status": 500}, ("HTTP 500",)),
    *(
        Kind(str(status), {"status": status}, (f"HTTP {status}",), same_as="500")
        for status in (502, 503, 429, 408)
    ),
    Kind("429, Retry-After", {"status": 429, "retry_after": 1}, ("asks to wait",)),
    Kind(
        "503, Retry-After",
        {"status": 503, "retry_after": 1, "retry_after_date": True},
        ("asks to wait",),
        same_as="429, Retry-After",
    ),
    Kind("reset before the response", {"kind": "reset"}, BROKEN),
    Kind("reset in the body", {"kind": "reset_body"}, BROKEN),
    Kind("cut body", {"kind": "cut_body"}, BROKEN),
    Kind("half of the JSON", {"kind": "bad_json"}, (*NOT_JSON, *BROKEN), same_as="cut body"),
    Kind("empty body", {"kind": "empty"}, NOT_JSON, same_as="HTML with 200"),
    Kind(
        "slow response",
        {"kind": "stall", "wait_ms": TOO_LATE_MS},
        ("no response within",),
        same_as="slow body",
    ),
    Kind("slow body", {"kind": "slow_body", "wait_ms": TOO_LATE_MS}, ("no response within",)),
    Kind("HTML with 200", {"kind": "html"}, NOT_JSON),
    Kind("JSON with another structure", {"kind": "wrong_shape"}, ("expected", *NOT_JSON)),
    Kind(
        "JSON with other fields",
        {"kind": "other_fields"},
        ("expected", "still running after", "none of the catalog's columns", NOT_CSV),
    ),
    Kind(
        "wrong Content-Encoding", {"kind": "wrong_encoding"}, ("compression is invalid", *NOT_JSON)
    ),
)
