"""What the demo does not load: version 3 of Kissmetrics' API, and the brand posts of Khoros."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.every_tap import TAPS, EveryTap
from tests.khoros_analytics.site import catalog_of
from tests.processes import clean_environment

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.postgres import Postgres

    from tests.end_to_end.project import Project
    from tests.singer import Output

SCHEMA = "tap_kissmetrics_v3"
# The variables of dbt that switch the models on, which the demo has no rows for.
VARIABLES = {
    "kissmetrics_versions": ["core", "v3"],
    "kissmetrics_v3_schema": SCHEMA,
    "khoros_analytics_raw_brand_posts": True,
}


@dataclass(frozen=True)
class Loaded:
    """The output of a tap, and the schema that it is loaded into."""

    schema: str
    output: Output

    def write_files(self, folder: Path) -> None:
        """Write the rows as target-jsonl does: a file for each stream, below a folder."""
        own = folder / self.schema.replace("_", "-")
        own.mkdir(exist_ok=True)
        for stream in self.output.streams:
            rows = "".join(f"{json.dumps(row)}\n" for row in self.output.rows(stream))
            (own / f"{stream}.jsonl").write_text(rows, encoding="utf-8")

    def load(self, project: Project, postgres: Postgres, folder: Path) -> None:
        """Load the rows with target-postgres, as the project has installed it."""
        target = project.folder / ".meltano/loaders/target-postgres/venv/bin/target-postgres"
        prefix = len("TARGET_POSTGRES_")
        access = {name[prefix:].lower(): one for name, one in postgres.target_settings.items()}
        settings = {**access, "port": postgres.port, "default_target_schema": self.schema}
        config = folder / f"{self.schema}.json"
        config.write_text(json.dumps(settings), encoding="utf-8")
        subprocess.run(
            [str(target), "--config", str(config)],
            input=self.output.text,
            env=clean_environment(),
            text=True,
            capture_output=True,
            check=True,
            timeout=120,
        )


def further_rows() -> list[Loaded]:
    """Read the accounts of the sandbox; each tap runs in this process."""
    v3, khoros = _tap("tap-kissmetrics v3"), _tap("tap-khoros-analytics")
    with v3.serving() as account:
        of_v3 = v3.run(account.settings)
    with khoros.serving() as account:
        posts = khoros.run(account.settings, catalog=catalog_of("raw_brand_posts"))
    assert of_v3.code == posts.code == 0, of_v3.stderr + posts.stderr
    return [
        Loaded(SCHEMA, of_v3.output),
        Loaded("tap_khoros_analytics", posts.output),
    ]


def _tap(name: str) -> EveryTap:
    (found,) = (tap for tap in TAPS if str(tap) == name)
    return found
