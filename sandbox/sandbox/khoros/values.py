"""The cells of a row: text, or None for null, computed from the row's place.

A day's rows repeat after a thousand, so that a thousand of them are written together: what
differs is a token, replaced later. All cells are text [vendor doc].
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sandbox.khoros.people import AGENTS, CREW, Agent, agent
from sandbox.khoros.places import HOUR_MS

PATTERNS = 1000
# Private-use characters, which the data does not have; the texts of each have one width.
SERIAL = "\ue000"
ZONE = "\ue001"
MOMENTS = ("\ue002", "\ue003", "\ue004", "\ue005")
MOMENT_OFFSETS_MS = (0, 300_000, 720_000, -180_000)  # event, claimed, answered, published
CLOSED_AT = ("\ue010", "\ue011", "\ue012", "\ue013", "\ue014")
# How long conversations stay open, by class; None is forever.
LIVES_MS: tuple[int | None, ...] = (90_000, 6 * HOUR_MS, 24 * HOUR_MS, 72 * HOUR_MS, None)
LIFE_OF = (0, 1, 0, 2, 1, 0, 3, 1, 0, 2)  # by the last digit of the pattern
EVERLASTING = 50  # one of this many conversations is never closed
CONVERSATION_ROWS = 4  # rows of an event export in one conversation
PRIORITIES = 6
QUEUES = (101, 102, 103, 104)
PROVIDERS = ("TWITTER", "FACEBOOK", "INSTAGRAM", "LITHIUM", "SMS")
LANGUAGES = ("en", "de", "es", "tr", None)
SENTIMENTS = ("POSITIVE", "NEGATIVE", "NEUTRAL", None)
TEXTS: tuple[str | None, ...] = (
    "Where is my order?",
    'She said "never again", and left',
    "Two lines:\nthe second one",
    "Windows lines\r\nthe second\r\n\r\nthe fourth",
    "Thanks 👍🏽 for the quick help 🎉",
    "a,b;c\td|e",
    '"',
    "  spaces around  ",
    None,
    "Größe, naïveté, İstanbul, 東京, 한국어, עברית",
    "back\\slash \\n and \\u0041",
    "null",
    "",
    "=1+1",
    "<a href='https://shop.example/?a=1&b=2'>link</a>",
    "family 👨‍👩‍👧 and line\u2028separator",
    "ends with a comma,",
    '"quoted"',
    "[{]}",
)


class Slot(NamedTuple):
    """A row's place: its pattern or its agent's number, and what depends on the window.

    ``state`` is a conversation's; ``order`` counts the actions of the additional conversation
    from 1; ``start`` and ``end`` are a roster row's window in epoch milliseconds.
    """

    number: int
    state: str = ""
    order: int = 0
    start: int = 0
    end: int = 0


Value = Callable[[Slot], str | None]


def life_of(number: int) -> int:
    """Return the class of a conversation, an index of ``LIVES_MS``."""
    return len(LIVES_MS) - 1 if number % EVERLASTING == 0 else LIFE_OF[number % 10]


def agent_of(number: int) -> Agent:
    """Return the agent of an event."""
    return CREW[number % AGENTS]


def priority_of(number: int) -> int:
    """Return the priority of an event, 0 to 5."""
    return number * 7 % PRIORITIES


def queue_of(number: int) -> int:
    """Return the id of an event's work queue."""
    return QUEUES[number // PRIORITIES % len(QUEUES)]


def serial(prefix: str = "") -> Value:
    """A cell with twelve digits that no other row of the export has."""

    def value(slot: Slot) -> str:
        suffix = f"-{slot.order}" if slot.order else ""
        return f"{prefix}{SERIAL}{slot.number:03d}{suffix}"

    return value


def conversation(prefix: str = "", *, own: bool = False) -> Value:
    """A cell with the row's conversation number; with ``own`` each row is a conversation."""

    def value(slot: Slot) -> str:
        first = slot.number if own else slot.number - slot.number % CONVERSATION_ROWS
        return f"{prefix}{SERIAL}{first:03d}"

    return value


def one_of(values: Sequence[str | None], step: int = 1) -> Value:
    """A cell with one of these values, another one after every ``step`` rows."""
    return lambda slot: values[slot.number // step % len(values)]


def number_to(limit: int, factor: int = 37, *, null_every: int = 0) -> Value:
    """A cell with a whole number below ``limit``, null in every ``null_every``-th row."""

    def value(slot: Slot) -> str | None:
        if null_every and slot.number % null_every == null_every - 1:
            return None
        return str(slot.number * factor % limit)

    return value


def moment(place: int, *, null_every: int = 0) -> Value:
    """A cell with a time of the row: see ``MOMENT_OFFSETS_MS``."""

    def value(slot: Slot) -> str | None:
        missing = null_every and slot.number % null_every == null_every - 1
        return None if missing else MOMENTS[place]

    return value


def closed_at(slot: Slot) -> str | None:
    """Return the time when a conversation was closed; null while it is open."""
    return CLOSED_AT[life_of(slot.number)] if slot.state == "CLOSED" else None


def state(slot: Slot) -> str:
    """Return OPEN or CLOSED, at the end of the window."""
    return slot.state


def order(slot: Slot) -> str:
    """Return the number of a row in its conversation, from 1."""
    return str(slot.order or slot.number % CONVERSATION_ROWS + 1)


def of_agent(attribute: str) -> Value:
    """A cell with an attribute of the event's agent."""
    return lambda slot: str(getattr(agent_of(slot.number), attribute))


def of_team(attribute: str) -> Value:
    """A cell with an attribute of the team of the event's agent."""
    return lambda slot: str(getattr(agent_of(slot.number).team, attribute))


def of_member(attribute: str) -> Value:
    """A cell with an attribute of the roster row's agent."""
    return lambda slot: str(getattr(agent(slot.number), attribute))


def of_member_team(attribute: str) -> Value:
    """A cell with an attribute of the roster row's team."""
    return lambda slot: str(getattr(agent(slot.number).team, attribute))


def amount(per_hour: int) -> Value:
    """A cell with an amount for the window; the amounts of adjoining windows add up."""

    def value(slot: Slot) -> str:
        rate = per_hour + slot.number % 7
        return str(slot.end * rate // HOUR_MS - slot.start * rate // HOUR_MS)

    return value


def share_ms(percent: int) -> Value:
    """A cell with a percentage of the window in milliseconds, a little less for some agents."""
    return lambda slot: str(_share(slot, percent))


def share_text(percent: int) -> Value:
    """A cell with a percentage of the window as H:MM:SS: see ``share_ms``."""

    def value(slot: Slot) -> str:
        seconds = _share(slot, percent) // 1000
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"

    return value


def _share(slot: Slot, percent: int) -> int:
    return (slot.end - slot.start) * max(percent - slot.number % 5, 0) // 100
