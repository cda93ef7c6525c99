"""The targets of the matrix, in the order of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.warehouses.database_targets import (
    DuckDB,
    MeltanolabsPostgres,
    Mysql,
    PipelinewisePostgres,
    Snowflake,
    Sqlite,
)
from tests.warehouses.file_targets import (
    Core,
    Jsonl,
    MeltanolabsCsv,
    PipelinewiseS3Csv,
    PlinxoreS3,
    S3Jsonl,
    ScalefreeS3Json,
    SingerJsonl,
)

if TYPE_CHECKING:
    from tests.warehouses.target import Target

TARGETS: tuple[Target, ...] = (
    MeltanolabsPostgres(),
    Jsonl(),
    SingerJsonl(),
    Core(),
    PlinxoreS3(),
    S3Jsonl(),
    ScalefreeS3Json(),
    MeltanolabsCsv(),
    PipelinewisePostgres(),
    PipelinewiseS3Csv(),
    DuckDB(),
    Mysql(),
    Sqlite(),
    Snowflake(),
)
_OF_TESTS = {MeltanolabsPostgres, Jsonl, MeltanolabsCsv}
TESTED = tuple(target for target in TARGETS if type(target) in _OF_TESTS)
