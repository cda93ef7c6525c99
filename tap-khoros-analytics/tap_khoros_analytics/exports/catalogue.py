"""The exports of the API: what each is called, how it is asked for, which filters it takes.

From the vendor's own specification, as far as it is known [reference, sections 2.1 and 4].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Method = Literal["GET", "POST"]

REPEATED = frozenset({"agentId", "teamId"})  # a parameter each; lists elsewhere are commas
BOOLEANS = frozenset({"enableBusinessHour", "businessHourType", "includeDisabled"})
SINGLE = frozenset({"smartViewId", "timezoneOffset"})

_COMMON = (
    "timezoneOffset",
    "enableBusinessHour",
    "businessHourType",
    "priorities",
    "smartViewId",
    "workqueueIds",
)


@dataclass(frozen=True)
class Export:
    """One export. ``in_body``: on POST all but companyKey (and raiselimit) is the body.

    ``filters`` is None where the vendor's list is not known. ``key`` are columns; an export that
    has none is keyed by the whole row. ``aggregate``: its rows are of the window, not of a moment.
    """

    id: str
    title: str
    method: Method = "POST"
    in_body: bool = False
    filters: tuple[str, ...] | None = _COMMON
    key: tuple[str, ...] = ()
    aggregate: bool = False
    has_timezone: bool = True
    family: str = ""
    selected: bool = True

    @property
    def path(self) -> str:
        """Where it is started."""
        return f"/api/public/reports/report/{self.family}{self.id}"


EXPORTS: Mapping[str, Export] = {
    export.id: export
    for export in (
        Export("conversation", "Raw conversations", key=("CONVERSATION_ID",)),
        Export("combined", "Combined raw data"),
        Export("conversation_actions", "Conversation actions", method="GET", in_body=True),
        Export("conversation_history_action", "Conversation history actions", in_body=True),
        Export("author", "Raw authors"),
        Export("incoming_post", "Raw incoming posts"),
        Export("response", "Raw responses"),
        Export(
            "response_approval",
            "Raw response approvals",
            filters=(*_COMMON, "includeDisabled", "teamIds"),
        ),
        Export("raw_agent_states", "Agent states", filters=(*_COMMON, "teamIds")),
        Export("raw_expert_help", "Help requests"),
        Export(
            "team_performance",
            "Team performance over the window",
            filters=(*_COMMON, "teamIds", "includeDisabled"),
            aggregate=True,
        ),
        Export(
            "team_performance_interval",
            "Team performance by interval",
            filters=(*_COMMON, "teamIds", "includeDisabled"),
            aggregate=True,
        ),
        Export(
            "user",
            "Users, with their times over the window",
            method="GET",
            in_body=True,
            filters=("agentId", "teamId", "includeDisabled"),
            aggregate=True,
            has_timezone=False,
        ),
        Export(
            "raw_brand_posts",
            "Raw brand posts (publishing; perhaps retired)",
            filters=None,
            has_timezone=False,
            family="marketing/",
            selected=False,
        ),
    )
}

RAISED_LIMIT = 2000  # actions of one conversation that conversation_history_action gives at most
MOST_BUCKETS = 31  # of team_performance_interval; 31 pass and 42 do not [reference, section 6]
INTERVALS_MS = (
    300_000,
    600_000,
    900_000,
    1_800_000,
    3_600_000,
    7_200_000,
    14_400_000,
    28_800_000,
    43_200_000,
    86_400_000,
    604_800_000,
)
