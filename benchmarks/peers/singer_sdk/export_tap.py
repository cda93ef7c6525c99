"""An export as the documentation of singer-sdk shows it: JSON by a JSONPath, CSV by a DictReader.

Each row gets a ``row_id``, since it has no key.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from typing import TYPE_CHECKING, ClassVar

from requests.auth import HTTPBasicAuth
from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import requests
    from singer_sdk import Stream
    from singer_sdk.helpers.types import Context, Record

COLUMNS = (
    *("conversation_id", "post_id", "post_content", "post_published_time", "post_received_time"),
    *("post_provider", "post_language", "post_sentiment", "post_url", "author_id"),
    *("author_name", "author_handle", "priority", "work_queue_id", "work_queue_name", "team_id"),
    *("team_name", "manual_tag", "auto_tag", "lsw_conversation_link", "time_zone"),
)


class JsonExport(RESTStream[None]):
    """A list of objects."""

    name = "incoming_post"
    path = ""
    primary_keys: ClassVar[Sequence[str]] = ("row_id",)
    records_jsonpath = "$[*]"
    schema = th.PropertiesList(
        th.Property("row_id", th.StringType, required=True),
        *(th.Property(column, th.StringType) for column in COLUMNS),
    ).to_dict()

    @property
    @override
    def url_base(self) -> str:
        return str(self.config["url"])

    @property
    @override
    def authenticator(self) -> HTTPBasicAuth:
        return HTTPBasicAuth(self.config["username"], self.config["password"])

    @override
    def get_new_paginator(self) -> None:
        return None

    @override
    def post_process(self, row: Record, context: Context | None = None) -> Record:
        record = {name.lower().replace(" ", "_"): value or None for name, value in row.items()}
        values = json.dumps(list(record.values()), separators=(",", ":"), ensure_ascii=False)
        record["row_id"] = hashlib.blake2b(values.encode(), digest_size=16).hexdigest()
        return record


class CsvExport(JsonExport):
    """A table with a header, read as it arrives."""

    @override
    def _request(
        self, prepared_request: requests.PreparedRequest, context: Context | None
    ) -> requests.Response:
        response = self.requests_session.send(prepared_request, stream=True, timeout=self.timeout)
        self.validate_response(response)
        return response

    @override
    def parse_response(self, response: requests.Response) -> Iterable[Record]:
        response.raw.decode_content = True
        response.raw.auto_close = False  # or the text reader finds it closed at the end
        text = io.TextIOWrapper(response.raw, encoding="utf-8", newline="")  # type: ignore[type-var]
        yield from csv.DictReader(text)


class TapExport(Tap):
    """A tap of one stream."""

    name = "tap-export"
    config_jsonschema = th.PropertiesList(
        th.Property("url", th.StringType, required=True),
        th.Property("username", th.StringType, required=True),
        th.Property("password", th.StringType, required=True),
        th.Property("format", th.StringType, required=True),
    ).to_dict()

    @override
    def discover_streams(self) -> list[Stream]:
        return [CsvExport(self) if self.config["format"] == "csv" else JsonExport(self)]


if __name__ == "__main__":
    TapExport.cli()
