"""Facts about streams that schemas do not contain: natural keys, and relations between streams.

A tap, or a variant of it, without an entry has models all the same, with the tests that follow from
its schemas, in a folder of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tap_kit import snake_case

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet


@dataclass(frozen=True)
class Facts:
    """The facts of one tap or of a variant of it, by stream or by stream and column.

    ``vendor`` is a part of the names of models, ``folder`` the folder where they are. Unset, both
    are the vendor and the variant.
    """

    vendor: str = ""
    folder: str = ""
    # The vendor's fields that identify a row, if the key is a hash.
    natural_keys: Mapping[str, list[str]] = field(default_factory=dict)
    # (stream, column) -> the stream that has its value, and the column there.
    relations: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    only_warned: AbstractSet[tuple[str, str]] = frozenset()  # relations that may have gaps
    # Streams whose rows have a row of another stream for the same columns.
    found_in: Mapping[str, tuple[str, list[str]]] = field(default_factory=dict)
    # Streams that have rows for every window: a window without any was lost.
    every_window: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ranges: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # by column
    # Streams that count the rows of others for each of these columns, by the column with the count.
    counted: Mapping[str, tuple[list[str], Mapping[str, str]]] = field(default_factory=dict)
    # Texts that are times in the setting `timezone`; each gets an additional timestamp column.
    times: AbstractSet[str] = frozenset()


BREAKDOWNS = ("pages", "entry_pages", "sources", "referrers", "countries", "goals")
BY_DAY = ["domain_id", "segment", "date"]

KINDMETRICS = Facts(
    natural_keys={
        "pages": [*BY_DAY, "address"],
        "entry_pages": [*BY_DAY, "address"],
        "sources": [*BY_DAY, "source", "medium"],
        "referrers": [*BY_DAY, "url", "domain"],
        "goals": [*BY_DAY, "name", "kind"],
    },
    relations={
        (stream, "domain_id"): ("domains", "id")
        for stream in ("current_visitors", "domain_stats", *BREAKDOWNS)
    },
    found_in=dict.fromkeys(BREAKDOWNS, ("domain_stats", BY_DAY)),
    every_window={
        "domain_stats": {"first": "date", "last": "date_to", "per": ["domain_id", "segment"]},
    },
    ranges={
        "bounce": {"least": 0, "most": 100},
        "percentage": {"least": 0, "most": 100},
        "visitors": {"least": 0},
        "conversions": {"least": 0},
    },
)
# A row of an older query, which the newest one has not replaced, can have the same number.
OF_QUERY = ["extracted_from", "row_number"]
OF_PRODUCTS = {
    ("reports", "product_id"): ("products", "id"),
    ("events", "product_id"): ("products", "id"),
    ("properties", "product_id"): ("products", "id"),
    ("report_results", "product_id"): ("products", "id"),
    ("report_results", "report_id"): ("reports", "id"),
}

KISSMETRICS_CORE = Facts(
    vendor="kissmetrics",
    folder="kissmetrics",
    natural_keys={"report_results": ["report_id", "start_date", *OF_QUERY]},
    relations={
        ("products", "account_id"): ("accounts", "id"),
        ("reports", "account_id"): ("accounts", "id"),
        ("metrics", "product_id"): ("products", "id"),
        **OF_PRODUCTS,
    },
)
KISSMETRICS_V3 = Facts(
    natural_keys={
        "report_results": ["report_id", "start_date", *OF_QUERY],
        "metric_results": ["metric_id", "start_date", *OF_QUERY],
        "query_results": ["query_name", "product_id", *OF_QUERY],
    },
    relations={("query_results", "product_id"): ("products", "id"), **OF_PRODUCTS},
)
KISSMETRICS_RAW = Facts(
    vendor="kissmetrics",
    folder="kissmetrics_raw",
    counted={
        "raw_files": (
            ["product", "revision"],
            {
                "events": "raw_events",
                "properties": "raw_properties",
                "aliases": "raw_aliases",
                "rejects": "raw_rejects",
            },
        )
    },
)
KHOROS_ANALYTICS = Facts(
    relations={("response", "conversation_id"): ("conversation", "conversation_id")},
    # A response can belong to a conversation outside all windows of the run.
    only_warned={("response", "conversation_id")},
    every_window={
        stream: {"first": "window_start", "last": "window_end", "dates": False}
        for stream in ("team_performance", "team_performance_interval", "user")
    },
    times={
        "date_claimed",
        "lsw_responded_to_post_published_time",
        "lsw_responded_to_post_received_time",
        "response_published_date",
    },
)
FACTS: Mapping[tuple[str, str], Facts] = {
    ("tap-kindmetrics", ""): KINDMETRICS,
    ("tap-kissmetrics", "v3"): KISSMETRICS_V3,
    ("tap-kissmetrics", "core"): KISSMETRICS_CORE,
    ("tap-kissmetrics", "raw exports"): KISSMETRICS_RAW,
    ("tap-khoros-analytics", ""): KHOROS_ANALYTICS,
}
"""The facts by the name of the tap and the heading of the variant."""


def facts_of(tap: str, variant: str) -> Facts:
    """Return the facts of a variant of a tap, with its names."""
    facts = FACTS.get((tap, variant), Facts())
    own = snake_case(f"{tap.removeprefix('tap-')} {variant}")
    return replace(facts, vendor=facts.vendor or own, folder=facts.folder or own)
