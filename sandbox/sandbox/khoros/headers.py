"""The names of a column: metric id, display name (English or German), JSON key."""

from collections.abc import Mapping
from typing import Literal

KeyStyle = Literal["metric", "camel", "display"]

# Found in a client of the raw response export and in the vendor's guide; all others are derived
# from the metric ids, which is the sandbox's invention.
ATTESTED_HEADERS: Mapping[str, str] = {
    "ASSIGNED_AGENT_DISPLAY_ID": "Assignee ID",
    "CONVERSATION_ID": "Conversation ID",
    "DATE_CLAIMED": "Date Claimed or Assigned",
    "LSW_CONVERSATION_LINK": "LSW Conversation Link",
    "LSW_RESPONDED_TO_POST_CONTENT": "Post Responded to Content",
    "LSW_RESPONDED_TO_POST_PUBLISHED_TIME": "Post Responded to Published Time",
    "RESPONDING_AGENT_NAME": "Responding Agent Name",
    "RESPONSE_CONTENT": "Response Content",
    "RESPONSE_PROVIDER": "Response Provider",
    "RESPONSE_TYPE": "Response Type",
    "STATUS": "Status",
    "TIME_ZONE": "Time Zone",
}
# That headers depend on the locale is inferred; those without German text are English.
GERMAN_HEADERS: Mapping[str, str] = {
    "AGENT_EMAIL": "E-Mail des Agenten",
    "AGENT_ID": "Agenten-ID",
    "AGENT_NAME": "Name des Agenten",
    "ASSIGNED_AGENT_DISPLAY_ID": "ID des Bearbeiters",
    "AUTHOR_NAME": "Name des Verfassers",
    "CLOSED_DATE": "Geschlossen am",
    "CONVERSATION_ID": "Konversations-ID",
    "CREATED_DATE": "Erstellt am",
    "DATE_CLAIMED": "Übernommen oder zugewiesen am",
    "POST_CONTENT": "Inhalt des Beitrags",
    "PRIORITY": "Priorität",
    "RESPONDING_AGENT_NAME": "Name des antwortenden Agenten",
    "RESPONSE_CONTENT": "Inhalt der Antwort",
    "RESPONSE_TYPE": "Art der Antwort",
    "STATUS": "Status",
    "TEAM_NAME": "Teamname",
    "TIME_ZONE": "Zeitzone",
}
CAPITALS = frozenset({"ID", "LSW", "RHT", "TAR", "URL", "UUID"})


def display_name(metric: str, locale: str = "en") -> str:
    """Return the name in the user interface, which is the CSV header."""
    if locale == "de" and metric in GERMAN_HEADERS:
        return GERMAN_HEADERS[metric]
    if metric in ATTESTED_HEADERS:
        return ATTESTED_HEADERS[metric]
    words = metric.split("_")
    return " ".join(word if word in CAPITALS else word.capitalize() for word in words)


def json_key(metric: str, style: KeyStyle, locale: str = "en") -> str:
    """Return the key in a JSON export, in one of the three styles that sources report."""
    if style == "display":
        return display_name(metric, locale)
    if style == "camel":
        first, *rest = metric.lower().split("_")
        return first + "".join(word.capitalize() for word in rest)
    return metric
