"""The work as dlt's documentation shows it: the REST API source, into JSONL files.

The arguments are a config file, a folder for dlt's state and the files, and one of these ways:

- ``load``: extract, normalize and load one list with the defaults, so with compressed files.
- ``load_plain``: the same with files that are not compressed.
- ``parallelized``: extract all partitions concurrently, with a declared resource for each.
- ``deferred``: the same by hand, with each page as a deferred call: the fastest way found.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import dlt
from dlt.sources.helpers import requests
from dlt.sources.rest_api import rest_api_source

PAGINATOR = {"type": "page_number", "base_page": 1, "total_path": "pages"}


def listed(name: str = "records", **more: Any) -> dict[str, Any]:
    """Return a declared resource: a list in pages."""
    endpoint = {"path": "records", "data_selector": "data", **more.pop("endpoint", {})}
    return {
        "name": name,
        "table_name": "records",
        "primary_key": "id",
        "endpoint": endpoint,
        **more,
    }


def declared(config: dict[str, Any], resources: list[dict[str, Any]]) -> Any:
    """Return the REST API source with these resources."""
    client = {"base_url": config["api_url"], "paginator": PAGINATOR}
    return rest_api_source({"client": client, "resources": resources})


def parallelized(config: dict[str, Any]) -> Any:
    """Return one resource per partition, all concurrent."""
    return declared(
        config,
        [
            listed(
                f"records_{number}",
                endpoint={"params": {"partition": number}},
                parallelized=True,
            )
            for number in range(config["partitions"])
        ],
    )


@dlt.resource(name="records", primary_key="id")
def deferred(config: dict[str, Any]) -> Any:
    """Yield each page as a deferred call; the first page of a partition has their number."""

    @dlt.defer
    def page(partition: int, number: int) -> Any:
        return fetch(partition, number)["data"]

    def fetch(partition: int, number: int) -> Any:
        query = {"partition": partition, "page": number}
        return requests.get(f"{config['api_url']}/records", params=query).json()

    for partition in range(config["partitions"]):
        first = fetch(partition, 1)
        yield first["data"]
        for number in range(2, first["pages"] + 1):
            yield page(partition, number)


def main() -> None:
    """Do the work in the given way."""
    config, folder, way = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]), sys.argv[3]
    pipeline = dlt.pipeline(
        pipeline_name="bench",
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.filesystem(bucket_url=(folder / "files").as_uri()),
        dataset_name="bench",
    )
    if way.startswith("load"):
        dlt.config["data_writer.disable_compression"] = way == "load_plain"
        pipeline.run(declared(config, [listed()]), loader_file_format="jsonl")
        return
    dlt.config["extract.workers"] = config["in_flight"]
    extracted = pipeline.extract(
        parallelized(config) if way == "parallelized" else deferred(config)
    )
    steps = [step for load in extracted.metrics.values() for step in load]
    found = [metrics for step in steps for metrics in step["resource_metrics"].items()]
    print(sum(metrics.items_count for name, metrics in found if name.startswith("records")))


if __name__ == "__main__":
    dlt.config["runtime.dlthub_telemetry"] = False
    main()
