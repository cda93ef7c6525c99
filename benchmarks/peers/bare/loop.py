"""The practical limit: requests, orjson, one line per row, no checks, no state."""

import json
import sys
from pathlib import Path

import orjson
import requests

SCHEMA = json.loads((Path(__file__).parent.parent / "schema.json").read_text("utf-8"))


def main() -> None:
    """Read all pages."""
    config = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    session = requests.Session()
    out = sys.stdout.buffer
    schema = {"type": "SCHEMA", "stream": "records", "schema": SCHEMA, "key_properties": ["id"]}
    out.write(orjson.dumps(schema, option=orjson.OPT_APPEND_NEWLINE))
    number = 1
    while number:
        response = session.get(f"{config['api_url']}/records", params={"page": number}, timeout=60)
        response.raise_for_status()
        page = orjson.loads(response.content)
        for record in page["data"]:
            message = {"type": "RECORD", "stream": "records", "record": record}
            out.write(orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE))
        number = page["next_page"]


if __name__ == "__main__":
    main()
