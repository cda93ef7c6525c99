"""The work as the documentation of singer-sdk shows it; ``--msgspec`` uses its faster writer."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Sequence

    from singer_sdk import Stream
    from singer_sdk.streams.rest import HTTPRequest, PageContext


class Records(RESTStream[int]):
    """A list in pages, each with the number of the next one."""

    name = "records"
    path = "/records"
    primary_keys: ClassVar[Sequence[str]] = ("id",)
    records_jsonpath = "$.data[*]"
    next_page_token_jsonpath = "$.next_page"  # noqa: S105  (a path in a response)
    schema = json.loads((Path(__file__).parent.parent / "schema.json").read_text("utf-8"))

    @property
    @override
    def url_base(self) -> str:
        return str(self.config["api_url"])

    @property
    @override
    def partitions(self) -> list[dict[str, Any]] | None:
        count = self.config.get("partitions")
        return [{"partition": number} for number in range(count)] if count else None

    @override
    def get_http_request(self, *, page: PageContext[int]) -> HTTPRequest:
        request = super().get_http_request(page=page)
        request.params["page"] = page.next_page_token or 1
        if page.stream_context:
            request.params["partition"] = page.stream_context["partition"]
        return request


class TapBench(Tap):
    """A tap of one stream."""

    name = "tap-bench"
    config_jsonschema = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("partitions", th.IntegerType),
    ).to_dict()

    @override
    def discover_streams(self) -> list[Stream]:
        return [Records(self)]


if __name__ == "__main__":
    if "--msgspec" in sys.argv:
        from singer_sdk.contrib.msgspec import MsgSpecWriter

        sys.argv.remove("--msgspec")
        TapBench.message_writer_class = MsgSpecWriter
    TapBench.cli()
