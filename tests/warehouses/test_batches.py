"""The tables are equal with and without validation, and with RECORD and BATCH messages."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.kit.canned import ID, NUMBER, TEXT, Table, run_of, tap_of
from tests.warehouses.database import content, far_user, tables_of

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.postgres import Postgres

    from tests.end_to_end.project import Project
    from tests.warehouses.database import Tables

pytestmark = [pytest.mark.xdist_group("warehouse-targets"), pytest.mark.timeout(300)]
LIST = {"type": ["array", "null"], "items": {"type": "string"}}
OBJECT = {"type": ["object", "null"]}
ROWS: list[dict[str, Any]] = [
    {"id": 1, "object": {"a": [{"b": {"c": [1, None]}}], "ü": "é"}, "list": ["a", "b,c", '"']},
    {"id": 2, "text": "tab\tline\n\\N \\ \r", "object": {}, "list": [], "objects": []},
    {"id": 3, "text": "", "objects": [{"a": 1}, {"b": [2]}], "list": ["", "NULL", "\\N", "{}"]},
    {"id": 4, "text": "nul\0", "object": {"a": "nul\0"}, "list": ["nul\0"]},
    {"id": 5, "number": 123456789.123456789, "is_new": True, "day": "2024-02-29"},
    {"id": 6, "number": 1e-7, "is_new": False, "at": "2024-02-29T00:00:00Z"},
    {"id": 7, "number": 3, "at": "2024-02-29T02:30:00.1234569+02:30"},
    {"id": 8, "at": "2024-02-29T00:00:00"},
    {"id": 9, "at": "0001-01-01T00:00:00Z", "text": None, "object": None, "list": None},
]
TABLE = Table(
    {
        "id": ID,
        "text": TEXT,
        "object": OBJECT,
        "list": LIST,
        "objects": {"type": ["array", "null"], "items": {"type": "object"}},
        "number": NUMBER,
        "is_new": {"type": ["boolean", "null"]},
        "day": {"type": ["string", "null"], "format": "date"},
        "at": {"type": ["string", "null"], "format": "date-time"},
    },
    ROWS,
)
MODES: dict[str, dict[str, Any]] = {
    "validated": {"validate_records": True},
    "records": {},
    "batches": {"has_batches": True},
    "batches_with_copy": {"has_batches": True, "use_copy": True},
}


def test_tables_are_equal_in_every_mode(
    project: Project, postgres: Postgres, tmp_path: Path
) -> None:
    """Nested JSON, null characters, offsets, and rows that are loaded a second time."""
    server = far_user(postgres)
    found = {
        name: content(loaded(project, server, tmp_path, f"mode_{name}", **mode)["figures"])
        for name, mode in MODES.items()
    }
    assert sum(found["validated"].values()) == len(ROWS)
    for name, rows in found.items():
        assert rows == found["validated"], name


def loaded(
    project: Project,
    server: Postgres,
    folder: Path,
    schema: str,
    *,
    has_batches: bool = False,
    **options: Any,
) -> Tables:
    """Load the table twice with the settings of ``meltano.yml``; return the tables."""
    batches = {"storage": {"root": str(folder / schema)}, "batch_size": 4}
    config = {"batch_config": batches} if has_batches else {}
    messages = [line for _ in range(2) for line in run_of(tap_of(TABLE)(config=config)).lines]
    project_file = yaml.safe_load((project.folder / "meltano.yml").read_text(encoding="utf-8"))
    (loader,) = (x for x in project_file["plugins"]["loaders"] if x["name"] == "target-postgres")
    own = {n.removeprefix("TARGET_POSTGRES_").lower(): v for n, v in server.target_settings.items()}
    settings = {**loader["config"], **own, "port": server.port, "default_target_schema": schema}
    file = folder / f"{schema}.json"
    file.write_text(json.dumps({**settings, "batch_size_rows": 4, **options}), encoding="utf-8")
    program = project.folder / ".meltano/loaders/target-postgres/venv/bin/target-postgres"
    done = subprocess.run(
        [str(program), "--config", str(file)],
        input="".join(f"{line}\n" for line in messages),
        env=loader["env"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return tables_of(server, schema)
