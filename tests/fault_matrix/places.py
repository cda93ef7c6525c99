"""The requests of an undisturbed run, by kind: where a fault can hit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.requestlog import LoggedRequest

# A part of a path that is an id: a number, a UUID, the id of a query or a run.
_ID = re.compile(r"\d+|[0-9a-f]{8}-[0-9a-f-]{27}|[^/]*%[^/]*|[0-9A-Za-z+=]{24,}(\.\w+)?")
_REPORTS = "/api/public/reports/report/"


@dataclass(frozen=True)
class Place:
    """A request among those of its kind; ``ordinal`` counts from 1, in the order of arrival."""

    kind: str
    method: str
    path: str  # a regular expression that the requests of this kind match
    which: str  # first, middle, last
    ordinal: int

    @override
    def __str__(self) -> str:
        return f"{self.which} {self.kind}"


def kind_of(request: LoggedRequest) -> tuple[str, str]:
    """Return the kind of a request, as the page names it, and the pattern of its targets."""
    parts = request.path.split("/")
    masked = ["*" if _ID.fullmatch(part) else part for part in parts]
    if request.path.startswith(_REPORTS) and len(parts) == 6:
        masked[-1] = "*"  # the path names the export
    is_further = re.search(r"[?&]offset=[1-9]", request.target) is not None
    pattern = "/".join("[^/?]+" if part == "*" else re.escape(part) for part in masked)
    query = r"\?.*offset=[1-9]" if is_further else r"(\?(?!.*offset=[1-9])|$)"
    shown = "/".join(masked) + (", further page" if is_further else "")
    return f"{request.method} {shown}", f"^{pattern}{query}"


def places(requests: Sequence[LoggedRequest]) -> list[Place]:
    """Return the first, a middle and the last request of each kind."""
    count: dict[tuple[str, str, str], int] = {}
    for request in requests:
        kind, pattern = kind_of(request)
        key = (kind, request.method, pattern)
        count[key] = count.get(key, 0) + 1
    return [
        Place(kind, method, pattern, which, ordinal)
        for (kind, method, pattern), number in count.items()
        for ordinal, which in _chosen(number).items()
    ]


def _chosen(number: int) -> dict[int, str]:
    if number == 1:
        return {1: "only"}
    middle = {(number + 1) // 2: "middle"} if number > 2 else {}
    return {1: "first", **middle, number: "last"}
