"""Streams of two vendors as the documentation of singer-sdk shows them.

They are a list that links its pages, and a list for each day, whose rows get a key.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.pagination import BaseHATEOASPaginator
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence
    from urllib.parse import ParseResult

    import requests
    from singer_sdk import Stream
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.streams.rest import HTTPRequest, PageContext

PAGE_ROWS = 1000


class VendorStream(RESTStream["ParseResult"]):
    """A stream with a bearer token; its schema is in a file of the settings."""

    @property
    @override
    def schema(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(Path(self.config["schema"]).read_text("utf-8"))
        return found

    @property
    @override
    def url_base(self) -> str:
        return str(self.config["api_url"])

    @property
    @override
    def authenticator(self) -> BearerTokenAuthenticator:
        return BearerTokenAuthenticator(token=self.config["api_token"])


class NextLink(BaseHATEOASPaginator):
    """The link to the next page, which the body has."""

    @override
    def get_next_url(self, response: requests.Response) -> str | None:
        links = response.json()["links"]
        return next((link["href"] for link in links if link["rel"] == "next"), None)


class Events(VendorStream):
    """A list in pages of Kissmetrics."""

    name = "events"
    path = "/core/events"
    primary_keys: ClassVar[Sequence[str]] = ("id",)
    records_jsonpath = "$.data[*]"

    @override
    def get_new_paginator(self) -> NextLink:
        return NextLink()

    @override
    def get_http_request(self, *, page: PageContext[ParseResult]) -> HTTPRequest:
        request = super().get_http_request(page=page)
        token = page.next_page_token
        request.params.update(parse_qsl(token.query) if token else {"limit": PAGE_ROWS})
        return request


class Pages(VendorStream):
    """A list for each day of Kindmetrics."""

    name = "pages"
    path = "/api/domains/{domain_id}/pages"
    primary_keys: ClassVar[Sequence[str]] = ("row_id",)
    records_jsonpath = "$[*]"

    @property
    @override
    def partitions(self) -> list[dict[str, Any]]:
        first, last = (date.fromisoformat(self.config[f"{end}_date"]) for end in ("start", "end"))
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        return [
            {"domain_id": domain_id, "date": day.isoformat()}
            for domain_id in self.config["domain_ids"]
            for day in days
        ]

    @override
    def get_new_paginator(self) -> None:
        return None

    @override
    def get_http_request(self, *, page: PageContext[ParseResult]) -> HTTPRequest:
        request = super().get_http_request(page=page)
        context = page.stream_context or {}
        request.params.update({"from": context["date"], "to": context["date"]})
        return request

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record:
        context = context or {}
        key = [context["domain_id"], "all", context["date"], row["address"]]
        values = json.dumps(key, separators=(",", ":"), ensure_ascii=False)
        row_id = hashlib.blake2b(values.encode(), digest_size=16).hexdigest()
        return {**row, "row_id": row_id, "segment": "all", "date_to": context["date"]}


class TapVendor(Tap):
    """A tap of one of the streams."""

    name = "tap-vendor"
    config_jsonschema = th.PropertiesList(
        th.Property("stream", th.StringType, required=True, allowed_values=["events", "pages"]),
        th.Property("schema", th.StringType, required=True),
        th.Property("api_url", th.StringType, required=True),
        th.Property("api_token", th.StringType, required=True),
        th.Property("start_date", th.StringType),
        th.Property("end_date", th.StringType),
        th.Property("domain_ids", th.ArrayType(th.IntegerType)),
    ).to_dict()

    @override
    def discover_streams(self) -> list[Stream]:
        return [{"events": Events, "pages": Pages}[self.config["stream"]](self)]


if __name__ == "__main__":
    TapVendor.cli()
