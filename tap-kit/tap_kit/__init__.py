"""What the taps share: settings, windows, an ordered pipeline, HTTP, jobs, rows and bookmarks.

A tap imports from here only. Nothing in the kit is specific to a vendor.
"""

from tap_kit.errors import (
    JobFailed,
    KitError,
    PartitionUnavailable,
    Retriable,
    SyncFailed,
    setting_error,
)
from tap_kit.flow.ahead import Work
from tap_kit.flow.background import read_in_background, sleep_with_heartbeat
from tap_kit.flow.bookmarks import MAX_AHEAD, read_bookmark
from tap_kit.flow.lists import ListPass, PageInfo, Places, read_list
from tap_kit.flow.once import Once
from tap_kit.flow.pipeline import Pipeline
from tap_kit.flow.tasks import Partition, Result, ResultT, Task, TaskT, WindowTask
from tap_kit.flow.windows import DayRange, Window, Windows
from tap_kit.jobs.protocol import STARTED, Ids, Job, JobState, Poll
from tap_kit.jobs.runner import JobRunner
from tap_kit.jobs.times import JobTime
from tap_kit.net.auth import BearerToken, Signature
from tap_kit.net.bodies import parse_json
from tap_kit.net.first import send_first
from tap_kit.net.hosts import quoted_path, resolved_link, url_problem
from tap_kit.net.http import (
    Api,
    Check,
    Decode,
    ErrorMapper,
    ErrorResponse,
    Params,
    Request,
    Response,
)
from tap_kit.net.secrets import SECRETS, short_text
from tap_kit.net.throttle import stop_on_error
from tap_kit.net.wire import conversion_problem
from tap_kit.rows.check import (
    ResponseFields,
    Row,
    RowCheck,
    RowDecoder,
    has_any_of,
    set_fields,
    values_of,
)
from tap_kit.rows.chunks import CHUNK_ROWS, Chunk, needs_single_records
from tap_kit.rows.csv_rows import CsvRows
from tap_kit.rows.json_rows import JsonRows
from tap_kit.rows.keys import row_id, row_ids
from tap_kit.rows.names import (
    MAX_NAME_LENGTH,
    MAX_NAMES,
    listed,
    snake_case,
    unique_labels,
    unique_names,
)
from tap_kit.rows.occurrences import Occurrences
from tap_kit.rows.streaming import RowParser, parse_rows, read_with_resume
from tap_kit.rows.types import prepared
from tap_kit.run.kept import KeptFile
from tap_kit.run.progress import Progress
from tap_kit.run.run import Run
from tap_kit.run.settings import (
    TOKEN_PATTERN,
    Config,
    NonEmptyList,
    common_settings,
    polling_settings,
)
from tap_kit.streams import BookmarkedStream, KitStream, WindowedStream
from tap_kit.tap import KitTap

__all__ = [
    "CHUNK_ROWS",
    "MAX_AHEAD",
    "MAX_NAMES",
    "MAX_NAME_LENGTH",
    "SECRETS",
    "STARTED",
    "TOKEN_PATTERN",
    "Api",
    "BearerToken",
    "BookmarkedStream",
    "Check",
    "Chunk",
    "Config",
    "CsvRows",
    "DayRange",
    "Decode",
    "ErrorMapper",
    "ErrorResponse",
    "Ids",
    "Job",
    "JobFailed",
    "JobRunner",
    "JobState",
    "JobTime",
    "JsonRows",
    "KeptFile",
    "KitError",
    "KitStream",
    "KitTap",
    "ListPass",
    "NonEmptyList",
    "Occurrences",
    "Once",
    "PageInfo",
    "Params",
    "Partition",
    "PartitionUnavailable",
    "Pipeline",
    "Places",
    "Poll",
    "Progress",
    "Request",
    "Response",
    "ResponseFields",
    "Result",
    "ResultT",
    "Retriable",
    "Row",
    "RowCheck",
    "RowDecoder",
    "RowParser",
    "Run",
    "Signature",
    "SyncFailed",
    "Task",
    "TaskT",
    "Window",
    "WindowTask",
    "WindowedStream",
    "Windows",
    "Work",
    "common_settings",
    "conversion_problem",
    "has_any_of",
    "listed",
    "needs_single_records",
    "parse_json",
    "parse_rows",
    "polling_settings",
    "prepared",
    "quoted_path",
    "read_bookmark",
    "read_in_background",
    "read_list",
    "read_with_resume",
    "resolved_link",
    "row_id",
    "row_ids",
    "send_first",
    "set_fields",
    "setting_error",
    "short_text",
    "sleep_with_heartbeat",
    "snake_case",
    "stop_on_error",
    "unique_labels",
    "unique_names",
    "url_problem",
    "values_of",
]
