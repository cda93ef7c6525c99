"""The work on pipelinewise-singer-python, which writes with orjson; ``--orjson`` decodes so too."""

import json
import sys
from pathlib import Path

import orjson
import requests
import singer

SCHEMA = json.loads((Path(__file__).parent.parent / "schema.json").read_text("utf-8"))


def main() -> None:
    """Read all pages."""
    config = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    session = requests.Session()
    singer.write_schema("records", SCHEMA, ["id"])
    number = 1
    while number:
        response = session.get(f"{config['api_url']}/records", params={"page": number}, timeout=60)
        response.raise_for_status()
        page = orjson.loads(response.content) if "--orjson" in sys.argv else response.json()
        for record in page["data"]:
            singer.write_record("records", record)
        number = page["next_page"]
    singer.write_state({})


if __name__ == "__main__":
    main()
