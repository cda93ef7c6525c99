"""Lines of the raw data export, with what a reader has to make of each.

The form of the lines, and what is wrong with some, is in docs/reference/kissmetrics_raw_export.md.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple

EVENT, PROPERTIES, ALIAS, REJECT = "event", "properties", "alias", "reject"
DAY_S = 86_400
_EVENTS = ("page view", "search engine hit", "\u00dcberweisung")
_FUNNEL = ("visited site", "signed up", "ordered")


class Made(NamedTuple):
    """A line without its line feed, and what it is: its kind, whether it is mended or repeated."""

    text: bytes
    kind: str
    is_mended: bool = False
    is_repeated: bool = False


@dataclass(frozen=True)
class Rates:
    """How many of a thousand lines have which anomaly; the others are events."""

    properties: int = 170
    aliases: int = 12
    mobile: int = 40
    out_of_order: int = 140
    octal_utf_8: int = 4
    octal_windows_1252: int = 4
    backslashes: int = 3
    raw_bytes: int = 2
    rejects: int = 6
    repeats: int = 4


class People:
    """Identities: each person has an anonymous one, most an e-mail address, some an account too."""

    def __init__(self, count: int) -> None:
        self.count = count

    def anonymous(self, person: int) -> str:
        """Return the identity before the person signed up."""
        return f"anon+/{person * 2_654_435_761 % (1 << 32):08x}="

    def email(self, person: int) -> str:
        """Return the identity by which the person signed up."""
        return f"person{person}@example.com"

    def account(self, person: int) -> str:
        """Return a third identity."""
        return f"account-{person}"

    def alias(self, person: int, random: Random) -> tuple[str, str]:
        """Return two identities of a person; all together they are a cycle."""
        cycle = (self.anonymous(person), self.email(person), self.account(person))
        place = random.choice((0, 0, 0, 1, 2))
        return cycle[place], cycle[(place + 1) % 3]

    def some(self, person: int, random: Random) -> str:
        """Return one of the identities of a person that is in an alias."""
        return random.choice((self.anonymous, self.email, self.email, self.account))(person)


def made_lines(
    random: Random, count: int, *, start: int, seconds: int, people: People, rates: Rates
) -> Iterator[Made]:
    """Yield lines that were received from ``start`` on, within ``seconds``."""
    earlier: list[Made] = []
    for number in range(count):
        if earlier and random.randrange(1000) < rates.repeats:
            yield random.choice(earlier)._replace(is_repeated=True)
            continue
        received = start + seconds * number // count
        made = _made(random, received, people, rates)
        if made.kind != REJECT and len(earlier) < 50:
            earlier.append(made)
        yield made


def _made(random: Random, received: int, people: People, rates: Rates) -> Made:
    place = random.randrange(1000)
    if place < rates.rejects:
        return Made(random.choice(_rejects(received)), REJECT)
    record, kind = _record(random, received, people, rates)
    text = json.dumps(record, ensure_ascii=random.random() < 0.5).encode()
    damage = _damage(random, rates)
    if not damage:
        return Made(text, kind)
    return Made(text[:-1] + b', "note": "' + damage + b'"}', kind, is_mended=True)


def _record(
    random: Random, received: int, people: People, rates: Rates
) -> tuple[dict[str, Any], str]:
    person = random.randrange(people.count)
    time = received
    if random.randrange(1000) < rates.out_of_order:
        time -= random.choice((1, 7, 290, 3_600, 20_000))
    record: dict[str, Any] = {"_p": people.some(person, random), "_t": time}
    place = random.randrange(1000)
    if place < rates.aliases:
        first, second = people.alias(person, random)
        return {"_p2": second, "_p": first, "_t": time}, ALIAS
    record |= _properties(random, person)
    if random.randrange(1000) < rates.mobile:
        clock = random.choice((0, 1, -5, 40 * DAY_S, -320 * DAY_S))
        record |= {"_t": time + clock, "_c": random.randrange(1 << 20), "_server_timestamp": time}
    if place < rates.aliases + rates.properties:
        return record, PROPERTIES
    return {"_n": _event(random, person), **record}, EVENT


def _event(random: Random, person: int) -> str:
    """Return an event; the steps of the funnel are reached by fewer and fewer people."""
    reached = _FUNNEL[: 1 + person % len(_FUNNEL)]
    return random.choice(reached if random.random() < 0.5 else _EVENTS)


def _properties(random: Random, person: int) -> dict[str, Any]:
    texts: Sequence[tuple[str, Any]] = (
        ("viewed url", f"https://shop.example/item?id={random.randrange(500)}&q=caf\u00e9"),
        ("referrer", "http://www.google.com/url?q=terms"),
        ("Plan.Name", random.choice(("free", "gold", "\U0001f947"))),
        ("amount", random.choice((0, 12, 19.9, "12.50"))),
        ("is new", random.random() < 0.5),
        ("sch\u00f6ner Name", f"Zo\u00eb {person}"),
        ("empty", ""),
    )
    return dict(random.sample(texts, random.randrange(1, len(texts))))


def _damage(random: Random, rates: Rates) -> bytes:
    """Return a piece of a string that JSON does not accept; mostly nothing."""
    place = random.randrange(1000)
    for rate, piece in (
        (rates.octal_utf_8, rb"only \302\243 5 \342\202\254"),
        (rates.octal_windows_1252, rb"Somebody\231 \223quoted\224"),
        (rates.backslashes, rb"C:\Temp\x41 it\'s"),
        (rates.raw_bytes, b"caf\xe9 \x93x\x94"),
    ):
        if place < rate:
            return piece
        place -= rate
    return b""


def _rejects(received: int) -> Sequence[bytes]:
    return (
        b'{"_n":"cut off","_p":"somebody","_t":13',
        b'{"_n":"nobody","_t":%d}' % received,
        b'{"_n":"never","_p":"somebody","_t":"soon"}',
        b'["_n","_p"]',
        b"",
        b'{"_n":"far","_p":"somebody","_t":%d}' % (received * 1000),
    )
