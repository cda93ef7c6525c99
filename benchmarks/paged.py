"""The contestants that read a list in pages, each written as its own documentation shows."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from benchmarks.contest import Contestant
from benchmarks.environments import PEERS, executable, script, version
from benchmarks.rows import PAGE_ROWS

if TYPE_CHECKING:
    from pathlib import Path

OURS = "tap on the kit (ours)"
SDK = "singer-sdk tap, idiomatic"
SDK_MSGSPEC = "singer-sdk tap, msgspec writer"
SINGER_PYTHON = "singer-python loop"
PIPELINEWISE = "pipelinewise-singer-python loop"
PIPELINEWISE_ORJSON = "pipelinewise-singer-python loop, orjson decoding"
DLT = "dlt, rest_api source to JSONL"
DLT_PLAIN = "dlt, the same, files not compressed"
AIRBYTE = "airbyte-cdk, declarative source"
BARE = "requests + orjson loop (the practical limit)"
BARE_CONCURRENT = "aiohttp + orjson loop, 8 in flight (the practical limit)"
READ_ONLY = "read only, raw socket (the server's ceiling)"


class Pages(NamedTuple):
    """The list: its address, and how it is divided."""

    url: str
    pages: int  # of each partition
    partitions: int | None = None
    in_flight: int | None = None

    @property
    def address(self) -> str:
        """The server's address of a list with this number of pages."""
        return f"{self.url}/{self.pages}"

    def config(self, folder: Path, **more: Any) -> str:
        """Write a config file with all settings that are not None, and return its path."""
        settings = {"api_url": self.address, "partitions": self.partitions, **more}
        path = folder / "config.json"
        path.write_text(json.dumps({k: v for k, v in settings.items() if v is not None}))
        return str(path)


def ours(pages: Pages) -> Contestant:
    """Return the tap of ``peers/kit``."""
    return Contestant(
        OURS,
        lambda folder: (
            executable("kit"),
            script("kit", "tap.py"),
            "--config",
            pages.config(folder, max_concurrency=pages.in_flight),
        ),
    )


def singer_sdk(pages: Pages, *options: str, label: str = SDK) -> Contestant:
    """Return the tap of ``peers/singer_sdk``; with ``--msgspec`` it uses the msgspec writer."""
    return Contestant(
        label,
        lambda folder: (
            executable("singer_sdk"),
            script("singer_sdk", "tap.py"),
            *options,
            "--config",
            pages.config(folder),
        ),
        lambda: f"singer-sdk {version('singer_sdk', 'singer-sdk')}",
    )


def singer_python(pages: Pages) -> Contestant:
    """Return the loop of ``peers/singer_python``."""
    return _script(SINGER_PYTHON, "singer_python", "tap.py", pages, package="singer-python")


def pipelinewise(pages: Pages, *options: str, label: str = PIPELINEWISE) -> Contestant:
    """Return the loop of ``peers/pipelinewise``; with ``--orjson`` it also decodes with orjson."""
    package = "pipelinewise-singer-python"
    return _script(label, "pipelinewise", "tap.py", pages, *options, package=package)


def bare(pages: Pages) -> Contestant:
    """Return the loop of ``peers/bare``."""
    return _script(BARE, "bare", "loop.py", pages, package="orjson")


def bare_concurrent(pages: Pages) -> Contestant:
    """Return the loop over several partitions, with several requests at a time."""
    return _script(BARE_CONCURRENT, "bare", "concurrent_loop.py", pages, package="aiohttp")


def read_only(pages: Pages) -> Contestant:
    """Return a program that reads the pages and does nothing with them."""
    reader = _script(READ_ONLY, "bare", "read_only.py", pages, package="requests")
    return replace(
        reader,
        version=str,
        count=lambda folder: int((folder / "out").read_text()) * PAGE_ROWS,
    )


def _script(
    label: str, name: str, file: str, pages: Pages, *options: str, package: str
) -> Contestant:
    """Return a script whose first argument is its config file."""
    return Contestant(
        label,
        lambda folder: (
            executable(name),
            script(name, file),
            pages.config(folder, in_flight=pages.in_flight),
            *options,
        ),
        lambda: f"{package} {version(name, package)}",
    )


def dlt(pages: Pages, way: str = "load", label: str = DLT) -> Contestant:
    """Return the pipeline of ``peers/dlt`` in one of its ways; only the ``load`` ways load."""
    return Contestant(
        label,
        lambda folder: (
            executable("dlt"),
            script("dlt", "pipeline.py"),
            pages.config(folder, in_flight=pages.in_flight),
            str(folder),
            way,
        ),
        lambda: f"dlt {version('dlt', 'dlt')}",
        lambda folder: (
            _lines(folder / "files" / "bench" / "records")
            if way.startswith("load")
            else int((folder / "out").read_text())
        ),
    )


def airbyte(pages: Pages, label: str = AIRBYTE) -> Contestant:
    """Return the manifest of ``peers/airbyte_cdk``, run by the program of Airbyte's image."""
    return Contestant(
        label,
        lambda folder: (
            executable("airbyte_cdk", "source-declarative-manifest"),
            "read",
            "--config",
            pages.config(folder, __injected_declarative_manifest=_manifest(pages)),
            "--catalog",
            _airbyte_catalog(folder),
        ),
        lambda: f"airbyte-cdk {version('airbyte_cdk', 'airbyte-cdk')}",
    )


def _manifest(pages: Pages) -> dict[str, Any]:
    text = (PEERS / "airbyte_cdk" / "manifest.yaml").read_text("utf-8")
    manifest: dict[str, Any] = yaml.safe_load(text)
    stream = manifest["streams"][0]
    stream["schema_loader"]["schema"] = json.loads((PEERS / "schema.json").read_text("utf-8"))
    if pages.partitions:
        stream["retriever"]["partition_router"] = {
            "type": "ListPartitionRouter",
            "values": [str(number) for number in range(pages.partitions)],
            "cursor_field": "partition",
            "request_option": {
                "type": "RequestOption",
                "inject_into": "request_parameter",
                "field_name": "partition",
            },
        }
    if pages.in_flight:
        level = {"type": "ConcurrencyLevel", "default_concurrency": pages.in_flight}
        manifest["concurrency_level"] = level
    return manifest


def _airbyte_catalog(folder: Path) -> str:
    path = folder / "catalog.json"
    stream = {"name": "records", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
    path.write_text(
        json.dumps(
            {
                "streams": [
                    {
                        "stream": stream,
                        "sync_mode": "full_refresh",
                        "destination_sync_mode": "overwrite",
                    }
                ]
            }
        )
    )
    return str(path)


def _lines(folder: Path) -> int:
    return sum(_unpacked(path.read_bytes()).count(b"\n") for path in folder.glob("*.jsonl*"))


def _unpacked(content: bytes) -> bytes:
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
