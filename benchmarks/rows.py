"""The rows that all contestants read: 20 fields, the same on every machine and in every run."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec

PAGE_ROWS = 1000
EPOCH = datetime(2026, 1, 1, tzinfo=timezone.utc)
STATUSES = ("new", "active", "paused", "closed")
COUNTRIES = ("DE", "FR", "US", "JP", None)
NAMES = ("Ada Lovelace", "Grace Hopper", "Zoë Müller", "Søren Kierkegård", "李小龍", "O'Brien, Pat")
NOTES = (
    None,
    "Called twice, wants the report by e-mail before the end of the month.",
    'Said "not now"; see the ticket.\nSecond line of the note.',
    None,
)
_MIX = 2654435761  # Knuth's multiplier: consecutive numbers give values that look unrelated


def row(number: int) -> dict[str, Any]:
    """Return one row: ids, texts, date-times, floats, booleans and nulls."""
    mixed = number * _MIX & 0xFFFFFFFF
    created = EPOCH + timedelta(seconds=number)
    return {
        "id": number,
        "uuid": f"{mixed:08x}-{number & 0xFFFF:04x}-4000-8000-{number * 7919:012x}",
        "account_id": mixed % 5000,
        "email": f"person.{number}@mail.example",
        "name": NAMES[mixed % 6],
        "status": STATUSES[mixed % 4],
        "country": COUNTRIES[mixed % 5],
        "city": f"City {mixed % 311}",
        "url": f"https://shop.example/products/{mixed % 9973}?ref=mail&step={number % 7}",
        "referrer": None if mixed % 3 else f"https://search.example/?q={mixed % 997}",
        "note": NOTES[mixed // 7 % 4],
        "created_at": created.isoformat(),
        "updated_at": (created + timedelta(hours=mixed % 48)).isoformat(),
        "closed_at": None if mixed % 4 != 3 else (created + timedelta(days=2)).isoformat(),
        "amount": mixed % 1_000_000 / 100,
        "score": mixed / 0xFFFFFFFF,
        "ratio": None if mixed % 5 == 0 else mixed % 100 / 8,
        "is_active": mixed % 2 == 0,
        "is_verified": mixed % 3 == 0,
        "visits": mixed % 400,
    }


def page(number: int, rows: int = PAGE_ROWS) -> bytes:
    """Return the rows of a page as the inside of a JSON array; pages count from 0."""
    encoded = msgspec.json.encode([row(number * rows + place) for place in range(rows)])
    return encoded[1:-1]
