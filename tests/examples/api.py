"""The invented API of the example tap, on this machine."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.exchange import Response, json_response

if TYPE_CHECKING:
    from sandbox.exchange import Request

TOKEN = "t0ken-of-the-example"  # noqa: S105  (opens nothing)
SITES = [{"id": number, "name": f"site {number}"} for number in range(1, 8)]
PAGE_SIZE = 3


@dataclass
class InventedApi:
    """Sites in pages, visits by day, and exports that are done at the second poll."""

    polls: dict[str, int] = field(default_factory=dict)
    exports_started: int = 0
    refused_sites: frozenset[str] = frozenset()

    async def respond(self, request: Request) -> Response:
        """Return the response to a request."""
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return json_response({"error": "token"}, status=401)
        parts = request.path.strip("/").split("/")
        if parts[0] == "exports":
            return json_response(self._export(request, parts))
        if len(parts) == 1:
            return json_response(_page(int(request.parameter("page") or 1)))
        if parts[1] in self.refused_sites:
            return json_response({"error": "no such site"}, status=404)
        return json_response([{"page": "/", "visits": int(parts[1]) * 10}])

    def _export(self, request: Request, parts: list[str]) -> Any:
        if request.method == "POST":
            self.exports_started += 1
            return {"id": json.loads(request.body)["day"]}
        if len(parts) == 3:
            return [{"id": int(parts[1][-2:]), "amount": 9.5}]
        self.polls[parts[1]] = self.polls.get(parts[1], 0) + 1
        return {"state": "running" if self.polls[parts[1]] == 1 else "done"}


def _page(number: int) -> dict[str, Any]:
    begin = (number - 1) * PAGE_SIZE
    pages = -(-len(SITES) // PAGE_SIZE)
    return {"pages": pages, "data": SITES[begin : begin + PAGE_SIZE]}
