"""Identifiers that are computed from record numbers, and back, without a table."""

KINDS = {"accounts": 1, "products": 2, "reports": 3, "events": 4, "properties": 5, "metrics": 6}
SCATTER = 2_654_435_761  # odd, hence a bijection modulo 2**32: neighbours look unrelated
FIRST_V3_ID = 1000  # so that no id of v3 equals a position in a list


def uuid_of(kind: str, number: int) -> str:
    """Return the identifier of a list's record by its number from 1."""
    scattered = number * SCATTER % 2**32
    return f"{scattered:08x}-a{KINDS[kind]:03x}-0131-ead3-{number:012x}"


def number_of(kind: str, record_id: str) -> int | None:
    """Return the number behind an identifier; None if it is of another kind or unknown."""
    try:
        number = int(record_id[-12:], 16)
    except ValueError:
        return None
    return number if uuid_of(kind, number) == record_id else None


def v3_id(number: int) -> int:
    """Return v3's id of a list's record by its number from 1."""
    return FIRST_V3_ID + number


def v3_number(record_id: int) -> int:
    """Return the number behind an id of v3; there may be no such record."""
    return record_id - FIRST_V3_ID
