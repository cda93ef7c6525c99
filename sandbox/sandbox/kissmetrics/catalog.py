"""The invented records of the six lists, each a pure function of its number.

They contain values that make loaders fail: nulls, empty strings, quotes, names that differ only
in case, text beyond ASCII, two formats of a time.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from hashlib import sha1
from typing import Any

from sandbox.kissmetrics.ids import number_of, uuid_of
from sandbox.kissmetrics.rules import FieldRules, ListName, Sizes

Record = dict[str, Any]
EPOCH = datetime(2013, 10, 4, 4, 56, 57, tzinfo=timezone.utc)
ODD_NAMES = ("search engine hit", "Search Engine Hit", 'said "hi"', "über uns", "注文", "a & b")
UNIT_TYPES = ("numeric", "time", "percent")
PROPERTY_TYPES = (None, "automatic", "text", "number")
# The parent of products; that of all lists but accounts is a product.
PARENTS: Mapping[str, ListName] = {"products": "accounts"}


def _time(hours: int, suffix: str = "+00:00") -> str:
    return (EPOCH + timedelta(hours=hours, seconds=hours * 37 % 3600)).strftime(
        f"%Y-%m-%dT%H:%M:%S{suffix}"
    )


# Events and properties take these times in turn, since formatting a time is slow.
FIRST_TIMES = tuple(_time(n * 11) for n in range(499))
LAST_TIMES = tuple(_time(60_000 + n * 53) for n in range(997))


class Catalog:
    """What the token has access to: numbers of records, from 1, and the records behind them."""

    def __init__(self, sizes: Sizes, fields: FieldRules) -> None:
        """Make an account of this size; reports may be deleted later."""
        self.sizes = sizes
        self.fields = fields
        self.deleted_reports: set[int] = set()
        self._makers: Mapping[str, Callable[[int], Record]] = {
            "accounts": self._account,
            "products": self._product,
            "reports": self._report,
            "events": self._event,
            "properties": self._property,
            "metrics": self._metric,
        }

    def numbers(self, name: ListName, parent: int | None = None) -> Sequence[int]:
        """Return the numbers of a list: all, or those of one account (products) or product."""
        count: int = getattr(self.sizes, name)
        parents: int = getattr(self.sizes, PARENTS.get(name, "products"))
        every = range(1, count + 1) if parent is None else range(parent, count + 1, parents)
        if name == "reports" and self.deleted_reports:
            return [number for number in every if number not in self.deleted_reports]
        return every

    def number(self, name: ListName, record_id: str) -> int | None:
        """Return the number behind an identifier; None if there is no such record."""
        number = number_of(name, record_id)
        return number if number is not None and number in self.numbers(name) else None

    def record(self, name: ListName, number: int) -> Record:
        """Return a record without its links."""
        record = self._makers[name](number)
        if self.fields.extra_field:
            record["added_later"] = {"note": "not in any document", "number": number}
        return record

    def parent(self, name: ListName, number: int) -> int:
        """Return the number of a product's account, or of any other record's product."""
        parents: int = getattr(self.sizes, PARENTS.get(name, "products"))
        return 1 + (number - 1) % parents

    def index(self, name: ListName, number: int) -> int:
        """Return the number of an event or property within its product, as used in queries."""
        return 1 + (number - 1) // self.sizes.products if name in {"events", "properties"} else 0

    def timezone(self, product: int) -> str:
        """Return the name of a product's time zone."""
        return self.sizes.timezones[(product - 1) % len(self.sizes.timezones)]

    def report_type(self, report: int) -> str:
        """Return a report's type."""
        return self.sizes.report_types[(report - 1) % len(self.sizes.report_types)]

    def first_day(self, product: int) -> date:
        """Return the first day on which a product has people."""
        return (EPOCH + timedelta(days=40 * product)).date()

    def _account(self, number: int) -> Record:
        known = number % 2 == 0
        is_canceled = number == self.sizes.accounts and number > 1
        return {
            "contact": {
                "phone": "+49 30 901820" if known else None,
                "country": "DE" if known else None,
                "name": "Zoë Ångström" if known else None,
            },
            "updated_at": _time(50_000 + 1000 * number, "Z"),
            "created_at": _time(24 * number, "Z"),
            "status": "canceled" if is_canceled else "active",
            "name": f"Account {number}",
            "id": uuid_of("accounts", number),
        }

    def _product(self, number: int) -> Record:
        record: Record = {
            "id": uuid_of("products", number),
            "account_id": uuid_of("accounts", self.parent("products", number)),
            "name": f"Product {number}",
            "url": None if number % 3 == 0 else f"http://product{number}.example",
            "status": "active",
            "environment": ("", "production", "staging")[(number - 1) % 3],
            "timezone": self.timezone(number),
            "created_at": _time(24 * 40 * number),
        }
        if self.fields.undocumented:
            record["tracking_key"] = tracking_key(number)
            record["hosts"] = []
        return record

    def _report(self, number: int) -> Record:
        product = self.parent("reports", number)
        return {
            "created_at": _time(24 * 41 * number),
            "name": f"Report {number}: {ODD_NAMES[number % len(ODD_NAMES)]}",
            "report_type": self.report_type(number),
            "account_id": uuid_of("accounts", self.parent("products", product)),
            "product_id": uuid_of("products", product),
            "id": uuid_of("reports", number),
        }

    def _event(self, number: int) -> Record:
        record = self._definition("events", number)
        # A default of "0" in the vendor's sample suggests that totals can be text.
        total = number * 7919 % 1_000_000 if record["last_used_at"] else 0
        as_text = self.fields.text_totals and number % 2 == 0
        record["total"] = str(total) if as_text else total
        return record

    def _property(self, number: int) -> Record:
        record = self._definition("properties", number)
        record["type"] = PROPERTY_TYPES[number % len(PROPERTY_TYPES)]
        return record

    def _definition(self, name: ListName, number: int) -> Record:
        """Return the common fields of events and properties; each thirteenth was never used."""
        is_used = number % 13 != 0
        first = FIRST_TIMES[number % len(FIRST_TIMES)] if is_used else None
        last = LAST_TIMES[number % len(LAST_TIMES)] if is_used else None
        word = ODD_NAMES[number % len(ODD_NAMES)]
        record: Record = {
            "last_sent_at": last,
            "first_sent_at": first,
            "last_used_at": last,
            "id": uuid_of(name, number),
            "product_id": uuid_of("products", self.parent(name, number)),
            "name": f"{word} {number}",
            "display_name": f"{word.capitalize()} {number}",
            "description": None if number % 4 else f"What {word} means\nin two lines",
            "is_visible": number % 7 != 0,
            "first_used_at": first,
        }
        if self.fields.undocumented:
            record["index"] = self.index(name, number)
        return record

    def _metric(self, number: int) -> Record:
        return {
            "id": uuid_of("metrics", number),
            "product_id": uuid_of("products", self.parent("metrics", number)),
            "title": f"Metric {number}",
            "description": None if number % 2 else "Counts \U0001f6d2",
            "unit_type": UNIT_TYPES[number % len(UNIT_TYPES)],
            "status": "pending",
            "color": None if number % 3 else "#ff8800",
            "sort_index": number,
            "is_visible": number % 5 != 0,
            "config_last_changed_at": _time(24 * 50 * number),
        }


def tracking_key(product: int) -> str:
    """Return a product's key for writing: 40 hexadecimal digits, only valid in the sandbox."""
    return sha1(f"sandbox product {product}".encode(), usedforsecurity=False).hexdigest()
