"""What stands in a row's cells: text, or None for null, made of the row's place alone.

A day's rows repeat every thousand, so that a thousand of them can be written at once: what
differs from one thousand to the next is a token, put in later. All cells are text [vendor doc].
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sandbox.khoros.people import AGENTS, CREW, Agent, agent
from sandbox.khoros.places import HOUR_MS

PATTERNS = 1000
# Private-use characters, which no data has: each is replaced by a text of one width.
SERIAL = "\ue000"
ZONE = "\ue001"
MOMENTS = ("\ue002", "\ue003", "\ue004", "\ue005")
MOMENT_OFFSETS_MS = (0, 300_000, 720_000, -180_000)  # event, claimed, answered, published
CLOSED_AT = ("\ue010", "\ue011", "\ue012", "\ue013", "\ue014")
MINUTE_MS = 60_000
# How long conversations stay open, by class; None is for ever. Ninety seconds is "same day".
LIVES_MS: tuple[int | None, ...] = (90_000, 6 * HOUR_MS, 24 * HOUR_MS, 72 * HOUR_MS, None)
LIFE_OF = (0, 1, 0, 2, 1, 0, 3, 1, 0, 2)  # by the last digit of the pattern
EVERLASTING = 50  # one in so many is never closed
CONVERSATION_ROWS = 4  # rows of an event export that share a conversation
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
    """A row's place: its pattern (or its agent's number), and what the window makes of it.

    ``state`` is a conversation's; ``order`` counts the actions of an over-long conversation
    from 1; ``start`` and ``end`` are a roster row's window in epoch milliseconds.
    """

    number: int
    state: str = ""
    order: int = 0
    start: int = 0
    end: int = 0


Value = Callable[[Slot], str | None]


def life_of(number: int) -> int:
    """Give the class in ``LIVES_MS`` of a conversation."""
    return len(LIVES_MS) - 1 if number % EVERLASTING == 0 else LIFE_OF[number % 10]


def agent_of(number: int) -> Agent:
    """Give the agent who had to do with an event."""
    return CREW[number % AGENTS]


def priority_of(number: int) -> int:
    """Give the priority, 0 to 5, of an event."""
    return number * 7 % PRIORITIES


def queue_of(number: int) -> int:
    """Give the id of the work queue an event came through."""
    return QUEUES[number // PRIORITIES % len(QUEUES)]


def serial(prefix: str = "") -> Value:
    """Twelve digits that no other row of the export has."""

    def value(slot: Slot) -> str:
        suffix = f"-{slot.order}" if slot.order else ""
        return f"{prefix}{SERIAL}{slot.number:03d}{suffix}"

    return value


def conversation(prefix: str = "", *, own: bool = False) -> Value:
    """The number of the row's conversation: ``own`` where a row is a conversation."""

    def value(slot: Slot) -> str:
        first = slot.number if own else slot.number - slot.number % CONVERSATION_ROWS
        return f"{prefix}{SERIAL}{first:03d}"

    return value


def one_of(values: Sequence[str | None], step: int = 1) -> Value:
    """One of these, changing every ``step`` rows."""
    return lambda slot: values[slot.number // step % len(values)]


def number_to(limit: int, factor: int = 37, *, null_every: int = 0) -> Value:
    """A whole number below ``limit``, null in every so-manieth row."""

    def value(slot: Slot) -> str | None:
        if null_every and slot.number % null_every == null_every - 1:
            return None
        return str(slot.number * factor % limit)

    return value


def moment(place: int, *, null_every: int = 0) -> Value:
    """A time of the row: see ``MOMENT_OFFSETS_MS``."""

    def value(slot: Slot) -> str | None:
        missing = null_every and slot.number % null_every == null_every - 1
        return None if missing else MOMENTS[place]

    return value


def closed_at(slot: Slot) -> str | None:
    """The time a conversation was closed; null while it is open."""
    return CLOSED_AT[life_of(slot.number)] if slot.state == "CLOSED" else None


def state(slot: Slot) -> str:
    """OPEN or CLOSED, at the end of the window."""
    return slot.state


def order(slot: Slot) -> str:
    """The ordinal of a row in its conversation, from 1."""
    return str(slot.order or slot.number % CONVERSATION_ROWS + 1)


def of_agent(attribute: str) -> Value:
    """Something of the agent who had to do with the event."""
    return lambda slot: str(getattr(agent_of(slot.number), attribute))


def of_team(attribute: str) -> Value:
    """Something of that agent's team."""
    return lambda slot: str(getattr(agent_of(slot.number).team, attribute))


def of_member(attribute: str) -> Value:
    """Something of the roster row's agent."""
    return lambda slot: str(getattr(agent(slot.number), attribute))


def of_member_team(attribute: str) -> Value:
    """Something of the roster row's team."""
    return lambda slot: str(getattr(agent(slot.number).team, attribute))


def amount(per_hour: int) -> Value:
    """How much happened in the window: adds up over windows that adjoin."""

    def value(slot: Slot) -> str:
        rate = per_hour + slot.number % 7
        return str(slot.end * rate // HOUR_MS - slot.start * rate // HOUR_MS)

    return value


def share_ms(percent: int) -> Value:
    """Milliseconds of the window, a percentage less a little for each agent."""
    return lambda slot: str(_share(slot, percent))


def share_text(percent: int) -> Value:
    """The same as H:MM:SS."""

    def value(slot: Slot) -> str:
        seconds = _share(slot, percent) // 1000
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"

    return value


def _share(slot: Slot, percent: int) -> int:
    return (slot.end - slot.start) * max(percent - slot.number % 5, 0) // 100
