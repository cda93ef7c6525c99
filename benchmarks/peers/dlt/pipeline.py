"""The work as dlt's documentation has it: the REST API source, into JSONL files.

python pipeline.py config.json FOLDER
"""

import json
import sys
from pathlib import Path

import dlt
from dlt.sources.rest_api import rest_api_source


def main() -> None:
    """Extract, normalize and load all pages."""
    config = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    folder = Path(sys.argv[2])
    source = rest_api_source(
        {
            "client": {
                "base_url": config["api_url"],
                "paginator": {
                    "type": "page_number",
                    "base_page": 1,
                    "total_path": "pages",
                },
            },
            "resources": [
                {
                    "name": "records",
                    "primary_key": "id",
                    "endpoint": {"path": "records", "data_selector": "data"},
                }
            ],
        }
    )
    pipeline = dlt.pipeline(
        pipeline_name="bench",
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.filesystem(bucket_url=(folder / "files").as_uri()),
        dataset_name="bench",
    )
    pipeline.run(source, loader_file_format="jsonl")


if __name__ == "__main__":
    dlt.config["normalize.data_writer.disable_compression"] = True
    dlt.config["runtime.dlthub_telemetry"] = False
    main()
