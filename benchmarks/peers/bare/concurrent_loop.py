"""The practical limit with latency: aiohttp, several requests in flight, rows in order, orjson."""

import asyncio
import json
import sys
from collections import deque
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import orjson

SCHEMA = json.loads((Path(__file__).parent.parent / "schema.json").read_text("utf-8"))


async def pages(config: dict[str, Any]) -> AsyncIterator[Any]:
    """Yield all pages in order, and request the next ones ahead."""
    async with aiohttp.ClientSession(config["api_url"] + "/") as session:

        async def send(partition: int, page: int) -> Any:
            query = {"partition": partition, "page": page}
            async with session.get("records", params=query) as response:
                response.raise_for_status()
                return orjson.loads(await response.read())

        partitions = range(config["partitions"])
        firsts = await asyncio.gather(*(send(partition, 1) for partition in partitions))
        to_come: Iterator[Any] = (
            send(partition, page)
            for partition in partitions
            for page in range(2, firsts[partition]["pages"] + 1)
        )
        waiting: deque[asyncio.Task[Any]] = deque()
        for first in firsts:
            yield first
        for request in to_come:
            waiting.append(asyncio.create_task(request))
            if len(waiting) == config["in_flight"]:
                yield await waiting.popleft()
        for task in waiting:
            yield await task


async def main(config: dict[str, Any]) -> None:
    """Read all pages of all partitions."""
    out = sys.stdout.buffer
    schema = {"type": "SCHEMA", "stream": "records", "schema": SCHEMA, "key_properties": ["id"]}
    out.write(orjson.dumps(schema, option=orjson.OPT_APPEND_NEWLINE))
    async for page in pages(config):
        for record in page["data"]:
            message = {"type": "RECORD", "stream": "records", "record": record}
            out.write(orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE))


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text("utf-8"))))
