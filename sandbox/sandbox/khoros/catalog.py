"""The exports: their paths, methods, parameters and columns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sandbox.khoros.columns import CONVERSATION_VALUES, EVENT_VALUES, ROSTER_VALUES
from sandbox.khoros.values import Value

Shape = Literal["events", "conversations", "roster", "intervals"]
# All exports have these [vendor doc].
BASE = ("startTime", "endTime", "reportFormat", "reportMetrics", "locale")
COMMON = (
    *BASE,
    "timezone",
    "timezoneOffset",
    "enableBusinessHour",
    "businessHourType",
    "priorities",
    "smartViewId",
    "workqueueIds",
)
JSON_ONLY = frozenset(name for name in ROSTER_VALUES if name.endswith("_MILLIS"))
VALUES: Mapping[Shape, Mapping[str, Value]] = {
    "events": EVENT_VALUES,
    "conversations": CONVERSATION_VALUES,
    "roster": ROSTER_VALUES,
    "intervals": ROSTER_VALUES,
}


@dataclass(frozen=True)
class Export:
    """One export; with ``body`` a POST has its parameters in the body.

    ``columns`` are the metric ids of all columns. ``attested`` are those that a source names; all
    others are inventions of the sandbox. ``hidden`` are those that the tenant has disabled; they
    are exported only on request.
    """

    id: str
    columns: tuple[str, ...]
    shape: Shape = "events"
    parameters: tuple[str, ...] = COMMON
    in_query: tuple[str, ...] = ()
    methods: tuple[str, ...] = ("POST",)
    body: bool = False
    marketing: bool = False
    attested: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    aliases: tuple[tuple[str, str], ...] = ()

    @property
    def values(self) -> Mapping[str, Value]:
        """The functions that make the cells of each column."""
        return VALUES[self.shape]


CONVERSATION = "CONVERSATION_ID STATUS ASSIGNED_AGENT_DISPLAY_ID"
RESPONSE = (
    "CONVERSATION_ID RESPONDING_AGENT_DISPLAY_ID AGENT_RESPONSE_ORDER ASSISTANT_RHT AUTO_TAG"
    " BOT_RESPONSE_ORDER DATE_CLAIMED EXPERT_RHT EXTERNAL_RESPONSE_ID HANDLE_TIME_APPROVING_AGENT"
    " HANDLE_TIME_OTHER_AGENT HANDLE_TIME_RESPONDING_AGENT HANDLE_TIME_TOTAL_RESPONSE"
    " LSW_CONVERSATION_LINK LSW_RESPONDED_POST_IN_BUSINESS_HOUR LSW_RESPONDED_TO_EXTERNAL_POST_ID"
    " LSW_RESPONDED_TO_POST_AUTHOR_UUID LSW_RESPONDED_TO_POST_CONTENT"
    " LSW_RESPONDED_TO_POST_PUBLISHED_TIME LSW_RESPONDED_TO_POST_RECEIVED_TIME MANUAL_TAG"
    " RESPONDING_AGENT_EMAIL RESPONSE_CONTENT RESPONSE_HANDLE RESPONSE_LANGUAGE RESPONSE_LOCATION"
    " RESPONSE_ORDER RESPONSE_PROVIDER RESPONSE_PUBLISHED_DATE RESPONSE_SENTIMENT RESPONSE_TAG"
    " RESPONSE_TAR RESPONSE_TYPE RESPONDING_AGENT_NAME"
)
AGENT = "AGENT_ID AGENT_NAME AGENT_EMAIL"
TEAM = "TEAM_ID TEAM_NAME"
QUEUE = "PRIORITY WORK_QUEUE_ID WORK_QUEUE_NAME"
POST = (
    "POST_ID POST_CONTENT POST_PUBLISHED_TIME POST_RECEIVED_TIME POST_PROVIDER POST_LANGUAGE"
    " POST_SENTIMENT POST_URL"
)
ACTION = "ACTION_ID ACTION_TYPE ACTION_TIME ACTION_ORDER ACTION_DETAIL"
WORK = (
    "RESPONSES CONVERSATIONS_HANDLED CONVERSATIONS_CLOSED AVERAGE_HANDLE_TIME AVERAGE_TAR"
    " TOTAL_CONSOLE_LOGGED_IN_TIME"
)
TIMES = (
    "TOTAL_CONSOLE_LOGGED_IN_TIME TOTAL_GREEN_STATE_TIME TOTAL_YELLOW_STATE_TIME"
    " TOTAL_RED_STATE_TIME TOTAL_MOBILE_TIME"
)


def _names(*groups: str) -> tuple[str, ...]:
    return tuple(" ".join(groups).split())


def _millis() -> tuple[str, ...]:
    return tuple(f"{name}_MILLIS" for name in _names(TIMES))


ALL = (
    Export(
        "conversation",
        _names(CONVERSATION, "CREATED_DATE CLOSED_DATE SUBJECT NUMBER_OF_POSTS", QUEUE, TEAM)
        + _names("MANUAL_TAG AUTO_TAG LSW_CONVERSATION_LINK CONVERSATION_UUID TIME_ZONE"),
        shape="conversations",
        parameters=(*COMMON, "conversationReportType"),
        attested=frozenset(_names(CONVERSATION)),
        hidden=frozenset(_names("CONVERSATION_UUID AUTO_TAG")),
    ),
    Export(
        "combined",
        _names("CONVERSATION_ID", POST, "AUTHOR_NAME AUTHOR_HANDLE", AGENT, TEAM, QUEUE)
        + _names("MANUAL_TAG RESPONSE_CONTENT RESPONSE_TYPE RESPONSE_PUBLISHED_DATE RESPONSE_TAR"),
        hidden=frozenset({"RESPONSE_TAR"}),
    ),
    Export(
        "conversation_actions",
        _names("CONVERSATION_ID", ACTION, AGENT, TEAM, QUEUE),
        methods=("GET", "POST"),
        body=True,
    ),
    Export(
        "conversation_history_action",
        _names("CONVERSATION_ID", ACTION, AGENT),
        parameters=(*COMMON, "raiselimit"),
        in_query=("raiselimit",),
        body=True,
    ),
    Export(
        "author",
        _names("AUTHOR_ID AUTHOR_NAME AUTHOR_HANDLE AUTHOR_EMAIL AUTHOR_LANGUAGE")
        + _names("AUTHOR_FOLLOWERS AUTHOR_LAST_SEEN POST_PROVIDER MANUAL_TAG"),
        hidden=frozenset({"AUTHOR_EMAIL"}),
    ),
    Export(
        "incoming_post",
        _names("CONVERSATION_ID", POST, "AUTHOR_ID AUTHOR_NAME AUTHOR_HANDLE", QUEUE, TEAM)
        + _names("MANUAL_TAG AUTO_TAG LSW_CONVERSATION_LINK TIME_ZONE"),
    ),
    Export(
        "response",
        _names(RESPONSE, "PRIORITY WORK_QUEUE_ID TEAM_NAME"),
        attested=frozenset(_names(RESPONSE)),
        hidden=frozenset({"RESPONSE_LOCATION", "WORK_QUEUE_ID"}),
    ),
    Export(
        "response_approval",
        _names("CONVERSATION_ID APPROVAL_ID APPROVAL_STATE APPROVAL_REQUESTED_TIME")
        + _names("APPROVAL_COMPLETED_TIME REJECTION_REASON RESPONSE_CONTENT", AGENT, TEAM),
        parameters=(*COMMON, "includeDisabled", "teamIds"),
    ),
    Export(
        "raw_agent_states",
        _names(AGENT, TEAM, "AGENT_STATE STATE_COLOR STATE_START_TIME STATE_END_TIME")
        + _names("STATE_DURATION"),
        parameters=(*COMMON, "teamIds"),
        attested=frozenset(_names(AGENT)),
        # The vendor's samples of this export have these three in lower case.
        aliases=tuple((name.lower(), name) for name in _names(AGENT)),
    ),
    Export(
        "raw_expert_help",
        _names("CONVERSATION_ID HELP_REQUEST_ID HELP_REQUEST_STATUS HELP_REQUEST_TEXT")
        + _names("REQUESTED_TIME ANSWERED_TIME EXPERT_EMAIL", AGENT),
    ),
    Export(
        "team_performance",
        _names(TEAM, AGENT, WORK),
        shape="roster",
        parameters=(*COMMON, "teamIds", "includeDisabled"),
    ),
    Export(
        "team_performance_interval",
        _names("INTERVAL_START", TEAM, AGENT, WORK),
        shape="intervals",
        parameters=(*COMMON, "timeInterval", "includeDisabled", "teamIds"),
    ),
    Export(
        "user",
        _names(AGENT, "AGENT_ROLE AGENT_ENABLED", TEAM, TIMES) + _millis(),
        shape="roster",
        parameters=(*BASE, "agentId", "teamId", "includeDisabled"),
        methods=("GET", "POST"),
        body=True,
        attested=frozenset(_millis()),
    ),
    Export(
        "raw_brand_posts",
        _names(POST, "CAMPAIGN_NAME IMPRESSIONS AUTHOR_HANDLE"),
        parameters=BASE,
        methods=("POST", "GET"),  # each from one of the vendor's pages
        marketing=True,
    ),
)
EXPORTS: Mapping[str, Export] = {export.id: export for export in ALL}
ROSTERS = frozenset(export.id for export in ALL if export.shape in {"roster", "intervals"})
