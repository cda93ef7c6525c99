"""The types of what stands around the records in a response, which are checked as records are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct
from tap_kit import conversion_problem, prepared

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_kit import Response

MAX_DIGITS = 18  # of a total or an offset
_FIRST_ERROR = 400  # the lowest status of an error

# A number, or a text of digits as in some of the vendor's lists.
Count = (
    Annotated[int, Meta(ge=0, lt=10**MAX_DIGITS)]
    | Annotated[str, Meta(pattern=rf"^[0-9]{{1,{MAX_DIGITS}}}\Z")]
)
Id = Annotated[str, Meta(min_length=1)] | int


class Link(Struct, frozen=True):
    """A link of a response."""

    rel: str | None = None
    href: str | None = None
    templated: bool | str | None = None  # a Link header has the flag as text

    @property
    def is_template(self) -> bool:
        """Whether ``href`` is a template."""
        return str(self.templated).lower() == "true"


class Pagination(Struct, frozen=True):
    """What a page of the Core API states about its list."""

    total: Count | None = None
    limit: Any = None


class Column(Struct, frozen=True):
    """A column of a result, by the vendor's own rule ``display_name (display_return_option)``."""

    display_name: str | int | float | bool | None = None
    display_return_option: str | int | float | bool | None = None

    @property
    def label(self) -> str:
        """The label of the column."""
        option = self.display_return_option
        return f"{self.display_name} ({option})" if option else str(self.display_name)


class Envelope(Struct, frozen=True):
    """What stands around the records of any response."""

    links: list[Link] | None = None
    pagination: Pagination | None = None
    total: Count | None = None
    columns: list[str | int | float | bool | Column | None] | None = None

    @property
    def stated_total(self) -> int | None:
        """The number of records in the whole list; None if the response does not state it."""
        total = self.total if self.pagination is None else self.pagination.total
        return None if total is None else int(total)

    @property
    def stated_limit(self) -> int | None:
        """The largest size of a page, which can be less than requested; None if not stated."""
        limit = self.pagination.limit if self.pagination else None
        return limit if type(limit) is int else None


class Linked(Struct, frozen=True):
    """An object with links."""

    links: list[Link] | None = None


class Nested(Struct, frozen=True):
    """A single object, bare or in an envelope: its own links are in ``data`` or beside it."""

    links: list[Link] | None = None
    data: Linked | list[Any] | str | int | float | bool | None = None

    @property
    def all_links(self) -> list[Link]:
        """The links of both places."""
        inner = self.data.links if isinstance(self.data, Linked) else None
        return [*(inner or []), *(self.links or [])]


class Record(Struct, frozen=True):
    """A record of any list."""

    id: Id


class ProductRecord(Record, frozen=True):
    """What the plan needs of a product."""

    timezone: str | None = None


class ReportRecord(Record, frozen=True):
    """What the plan needs of a saved report."""

    name: str | None = None
    product_id: Id | None = None
    report_type: str | None = None


for _kind in (Link, Pagination, Column, Envelope, Linked, Nested, ProductRecord, ReportRecord):
    prepared(_kind)

T = TypeVar("T")


def converted(value: Any, wanted: type[T]) -> T:
    """Return a JSON object as a value of a type; anything but an object as an empty one.

    Raises:
        msgspec.ValidationError: if a field of the object has another type.
    """
    return msgspec.convert(_object(value), wanted)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def problem_of(value: Any, wanted: type[Any]) -> str | None:
    """Return in what a JSON value differs from a type; None if it does not."""
    return conversion_problem(_object(value), wanted)


def with_envelope(
    check: Callable[[Response], str | None] = lambda _: None, wanted: type[Any] = Envelope
) -> Callable[[Response], str | None]:
    """Return a check of a response and of what stands around its records."""

    def problem(response: Response) -> str | None:
        value = response.value
        return error_in(value) or problem_of(value, wanted) or check(response)

    return problem


def error_in(value: Any) -> str | None:
    """Return that a response describes an error, whatever its HTTP status; None if it does not.

    The envelopes of errors have a ``status``, an ``error`` or ``errors``, in ``meta`` or at the
    top: see docs/reference/kissmetrics.md, section 4. A list beside it proves nothing.
    """
    body = _object(value)
    for part in (body, _object(body.get("meta"))):
        status = part.get("status")
        if type(status) is int and status >= _FIRST_ERROR:
            return f"the response describes an error (status {status})"
        if part.get("errors") or part.get("error"):
            return "the response describes an error"
    return None


def records_problem(records: list[Any], wanted: type[Any]) -> str | None:
    """Return in what the first wrong one of some records differs from a type."""
    return next(filter(None, (problem_of(record, wanted) for record in records)), None)
