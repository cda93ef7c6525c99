"""The exports of the API: the id, the method, the filters and the key of each.

From the vendor's specification, as far as it is public: see docs/reference/khoros.md, sections 2.1
and 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_kit import Config

Method = Literal["GET", "POST"]

# Filters that repeat the parameter for each value; all others take one list with commas.
REPEATED = frozenset({"agentId", "teamId"})
BOOLEANS = frozenset({"enableBusinessHour", "businessHourType", "includeDisabled"})
SINGLE = frozenset({"smartViewId", "timezoneOffset"})  # filters that take one value only

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
    """The definition of one export.

    ``in_body``: a POST has its parameters in the body, except companyKey and raiselimit.
    ``filters`` is None if the vendor's list is unknown. ``key`` names columns; without them, the
    key is a hash of the whole row. ``aggregate``: a row describes the window, not a moment in it.
    """

    id: str
    title: str
    method: Method = "POST"
    in_body: bool = False
    filters: tuple[str, ...] | None = _COMMON
    key: tuple[str, ...] = ()
    aggregate: bool = False
    has_timezone: bool = True
    path_prefix: str = ""
    selected: bool = True

    @property
    def path(self) -> str:
        """The path of the request that starts it."""
        return f"/api/public/reports/report/{self.path_prefix}{self.id}"


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
            path_prefix="marketing/",
            selected=False,
        ),
    )
}

# The vendor's maximum of actions for each conversation in conversation_history_action.
RAISED_LIMIT = 2000
# For team_performance_interval. The vendor's maximum is unknown: 31 intervals are accepted and 42
# are rejected, see docs/reference/khoros.md, section 6.
MAX_INTERVALS = 31
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


def export_options(config: Config, export_id: str) -> Mapping[str, Any]:
    """Return the options of an export in the settings, without those that are invalid.

    Discovery works with them too; a run ends with a line for each.
    """
    exports = config.get("exports")
    options = exports.get(export_id) if isinstance(exports, dict) else None
    given = options.items() if isinstance(options, dict) else ()
    return {name: value for name, value in given if _is_valid(name, value)}


def _is_valid(name: str, value: Any) -> bool:
    if not isinstance(value, _KINDS.get(name, object)):
        return False
    return not isinstance(value, list) or all(isinstance(item, str) for item in value)


_KINDS: Mapping[str, type] = {
    "columns": list,
    "primary_key": list,
    "types": dict,
    "filters": dict,
    "method": str,
}
