"""Identifiers: UUIDs that count, so that neither direction needs a table."""

KINDS = {"accounts": 1, "products": 2, "reports": 3, "events": 4, "properties": 5, "metrics": 6}
SCATTER = 2_654_435_761  # odd, hence a bijection modulo 2**32: neighbours look unrelated
FIRST_V3_ID = 1000  # v3 numbers are small integers, of which none is a position in a list


def uuid_of(kind: str, number: int) -> str:
    """Give the identifier of the so-manieth record (from 1) of a list."""
    scattered = number * SCATTER % 2**32
    return f"{scattered:08x}-a{KINDS[kind]:03x}-0131-ead3-{number:012x}"


def number_of(kind: str, record_id: str) -> int | None:
    """Give the number behind an identifier; None for one of another kind, or none of ours."""
    try:
        number = int(record_id[-12:], 16)
    except ValueError:
        return None
    return number if uuid_of(kind, number) == record_id else None


def v3_id(number: int) -> int:
    """Give the integer that v3 has for the so-manieth record of a list."""
    return FIRST_V3_ID + number


def v3_number(record_id: int) -> int:
    """Give the number behind an integer of v3, which need not exist."""
    return record_id - FIRST_V3_ID
