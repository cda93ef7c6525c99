"""An export into a warehouse as dlt's documentation shows it, merged by its key.

The arguments are a config file, a folder for dlt's state, ``postgres`` or ``duckdb``, its URL or
file, the name of the dataset, and the format of the loader's files.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dlt
from dlt.sources.helpers import requests

if TYPE_CHECKING:
    from collections.abc import Iterator


# Texts, as all other loaders store them; dlt would detect times.
TEXTS = {name: {"data_type": "text"} for name in ("post_published_time", "post_received_time")}


@dlt.resource(name="incoming_post", primary_key="row_id", write_disposition="merge", columns=TEXTS)
def export(config: dict[str, str]) -> Iterator[list[dict[str, Any]]]:
    """Yield all rows, with a key of their own: they have none."""
    access = (config["username"], config["password"])
    rows = requests.get(config["url"], auth=access).json()
    for row in rows:
        values = json.dumps(list(row.values()), separators=(",", ":"), ensure_ascii=False)
        row["row_id"] = hashlib.blake2b(values.encode(), digest_size=16).hexdigest()
    yield rows


def main() -> None:
    """Load one export."""
    file, folder, name, place, dataset, file_format = sys.argv[1:]
    destinations = {"postgres": dlt.destinations.postgres, "duckdb": dlt.destinations.duckdb}
    pipeline = dlt.pipeline(
        pipeline_name="warehouse",
        pipelines_dir=str(Path(folder) / "pipelines"),
        destination=destinations[name](place),
        dataset_name=dataset,
    )
    config = json.loads(Path(file).read_text("utf-8"))
    pipeline.run(export(config), loader_file_format=file_format)


if __name__ == "__main__":
    dlt.config["runtime.dlthub_telemetry"] = False
    main()
