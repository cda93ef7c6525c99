"""The base class of the taps: settings told at once, one pipeline for all streams, a clean end."""

from __future__ import annotations

import abc
import time
from contextlib import ExitStack
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import cached_property
from threading import Event
from typing import IO, TYPE_CHECKING, Any

from singer_sdk import Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import EMIT_ACTIVATE_VERSION_CONFIG
from typing_extensions import override

from tap_kit.errors import Interrupted, SyncFailed
from tap_kit.flow.ahead import ReadAhead
from tap_kit.flow.windows import DayRange, parse_day
from tap_kit.jobs.runner import JobBook, JobRunner, Pace
from tap_kit.jobs.running import RunningJobs
from tap_kit.net.throttle import Throttle, stop_on_error
from tap_kit.rows.chunks import ChunkWriter
from tap_kit.run import settings
from tap_kit.run.about import streams_table
from tap_kit.run.command import (
    buffer_output,
    exit_on_signals,
    exit_when_output_closes,
    one_line_errors,
    stop_on_signals,
)
from tap_kit.run.inputs import (
    Catalog,
    State,
    as_config_errors,
    catalog_problems,
    load_input,
    sdk_config_warning_silenced,
)
from tap_kit.run.memory import infrequent_collections, reuse_freed_memory
from tap_kit.run.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import click

    from tap_kit.flow.ahead import Work

DEFAULT_DAYS = 30  # how far back a run without a start_date begins
CALL_OFF_S = 2.0  # for calling off what runs, well within the time that a stopped run has


class KitTap(Tap, abc.ABC):
    """A tap whose streams share one ordered pipeline of requests."""

    message_writer_class = ChunkWriter

    def __init__(
        self,
        *,
        config: Any = None,
        validate_config: bool = True,
        setup_mapper: bool = True,
        **kwargs: Any,
    ) -> None:
        self.stop = Event()
        self.jobs = JobBook()
        self.running_jobs = RunningJobs()
        self.failed: list[str] = []  # what the vendor could not do for us
        self._state_written_at = time.monotonic()
        given = {k: v for k, v in config.items() if v is not None} if config else {}
        with sdk_config_warning_silenced(self.logger):
            super().__init__(config=given, validate_config=False, setup_mapper=False, **kwargs)
        exit_on_signals(self.logger)
        if validate_config and (errors := list(self.config_problems())):
            raise ConfigValidationError("; ".join(errors), errors=errors)
        if setup_mapper:
            self.setup_mapper()

    # Settings

    def config_problems(self) -> Iterator[str]:
        """All that is wrong with the settings, a line each; a tap adds what only it knows."""
        schema = {**self.config_jsonschema, "additionalProperties": False}
        yield from settings.problems(self.config, schema)

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add the SDK's settings, and the one that it obeys but adds to no tap's settings."""
        super().append_builtin_config(config_jsonschema)
        for name, definition in EMIT_ACTIVATE_VERSION_CONFIG["properties"].items():
            config_jsonschema["properties"].setdefault(name, definition)

    @classmethod
    def required_settings(cls) -> list[list[str]]:
        """The settings that have to be there; several lists where there are several ways."""
        return [list(cls.config_jsonschema["required"])]

    @classmethod
    def variants(cls) -> Mapping[str, settings.Config]:
        """By a word for each: the settings with which there are other streams."""
        return {"": {}}

    @cached_property
    def shard(self) -> settings.Shard:
        """The part of the partitions that this run reads."""
        return settings.Shard.parse(self.config.get("shard", "0/1"))

    def today(self, zone: tzinfo = timezone.utc) -> date:
        """The day on which the run began, in ``zone``."""
        return datetime.fromtimestamp(self.initialized_at / 1000, tz=zone).date()

    def day_range(self, zone: tzinfo = timezone.utc) -> DayRange:
        """The days that this run reads, as they are counted in ``zone``."""
        config, today = self.config, self.today(zone)
        start = parse_day(config["start_date"]) if "start_date" in config else None
        end = parse_day(config["end_date"]) if "end_date" in config else today
        return DayRange(
            start=start or today - timedelta(days=DEFAULT_DAYS),
            end=min(end, today),
            days=config["window_days"],
            lookback=config["lookback_days"],
        )

    @cached_property
    def throttle(self) -> Throttle:
        """The vendor's budget of requests, shared by all that this tap asks."""
        at_once = self.config["max_concurrency"]
        return Throttle(self.requests_per_minute, self.stop, at_once=at_once)

    @property
    def requests_per_minute(self) -> int | None:
        """The vendor's budget of requests; None for none."""
        per_minute: int | None = self.config.get("requests_per_minute")
        return per_minute

    @cached_property
    def connections(self) -> ExitStack:
        """What is open to the vendor; closed when the run ends."""
        return ExitStack()

    def job_runner_with(
        self, *, longest_s: float, growth: float, polling_share: float | None = None
    ) -> JobRunner:
        """How the vendor's jobs are waited for, by the settings of the taps that have jobs.

        ``polling_share`` is how much of the budget of requests may go into polls, from 0 to 1: the
        more jobs run, the longer each of them is left alone. Without it only the pace counts.
        """
        first_s = self.config["poll_interval_ms"] / 1000
        pace = Pace(first_s, longest_s, self.config["poll_timeout"], growth)

        def least_pause_s() -> float:
            turns = self.running_jobs.count / polling_share if polling_share else 0
            return turns * self.throttle.seconds_per_request

        sleep, running = self.throttle.sleep, self.running_jobs
        return JobRunner(pace, sleep, running_jobs=running, least_pause_s=least_pause_s)

    @property
    def user_agent(self) -> str:
        """How the tap names itself to the vendor."""
        return str(self.config.get("user_agent", f"{self.name}/{self.plugin_version}"))

    # The run

    @abc.abstractmethod
    def check_access(self) -> str:
        """Ask the vendor something cheap before anything is written; what was found, in words.

        Raises:
            ConfigValidationError: when a credential or an address is wrong.
        """

    @cached_property
    def ahead(self) -> ReadAhead:
        """The tasks of all streams, read ahead in plan order."""
        return ReadAhead(self)

    def on_plan(self, work: Sequence[Work]) -> None:
        """Told the streams and partitions that are about to be read, in order."""

    @cached_property
    def progress(self) -> Progress:
        """What a person sees of the run."""
        return Progress(self.logger)

    def write_state_if_due(self) -> None:
        """Write the bookmarks out when ``state_interval`` has passed, or a job has begun.

        Raises:
            Interrupted: when the run was asked to stop; this is the place where it can.
        """
        if self.stop.is_set():
            msg = "the run is being stopped"
            raise Interrupted(msg)
        due = time.monotonic() - self._state_written_at >= self.config["state_interval"]
        if self.jobs.write_to_state() or due:
            self._state_written_at = time.monotonic()
            self.state_writer.write_state(self.state)

    def run(self) -> None:
        """One whole run: access first, then all streams, and the bookmarks whatever happens."""
        reuse_freed_memory()
        with self.progress, infrequent_collections(), self.connections, stop_on_error(self.stop):
            with exit_when_output_closes(self.logger):
                if problems := list(catalog_problems(self)):
                    raise ConfigValidationError("; ".join(problems), errors=problems)
                self.check_access()
            with stop_on_signals(self.stop):
                self._run_streams()
        if self.failed:
            msg = f"All other streams are complete, these failed: {'; '.join(self.failed)}"
            raise SyncFailed(msg)

    def _run_streams(self) -> None:
        how = "Broken off"
        try:
            self.sync_all()
            how = "Done"
        finally:
            self.ahead.close()
            if self.stop.is_set():
                self.running_jobs.cancel_all(CALL_OFF_S)
            self.jobs.write_to_state()
            self.state_writer.write_state(self.state)
            self.progress.summary(how, self.throttle.requests)

    # Command line

    @classmethod
    @override
    def print_about(cls, output_format: str | None = None) -> None:
        """Print what the tap is; as Markdown with its streams, too."""
        super().print_about(output_format)
        if output_format == "markdown":
            for name, config in cls.variants().items():
                tap = cls(config=config, validate_config=False, setup_mapper=False)
                heading = f"## Streams {name}".strip()
                print(f"{heading}\n\n{streams_table(tap.streams.values())}\n")  # noqa: T201  (as the SDK does)

    @classmethod
    @override
    def invoke(  # type: ignore[override]  # as the SDK's own Tap.invoke does
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        state: IO[str] | None = None,
        catalog: IO[str] | None = None,
    ) -> None:
        """Run the command line: as the SDK's, but whatever the user can cure is one line."""
        if about:
            super().invoke(about=about, about_format=about_format)
        buffer_output()
        with one_line_errors(cls.logger):
            cls.print_version(print_fn=cls.logger.info)
            with exit_when_output_closes(cls.logger):
                tap = cls(
                    config=config.config if config else None,
                    parse_env_config=bool(config and config.parse_env),
                    state=load_input(state, "--state", State),
                    catalog=load_input(catalog, "--catalog", Catalog),
                )
            tap.run()

    @classmethod
    @override
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """Read the settings; a file that is missing or not JSON is one line."""
        with one_line_errors(cls.logger), as_config_errors():
            return super().cb_config(ctx, param, value)

    @classmethod
    @override
    def cb_discover(cls, ctx: click.Context, param: click.Option, value: bool) -> None:
        """Discover; a wrong credential is one line here too."""
        with one_line_errors(cls.logger), exit_when_output_closes(cls.logger):
            super().cb_discover(ctx, param, value)

    @classmethod
    @override
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        """Test access in one line before the SDK's own test reads a record of each stream."""
        if value != "all":
            with one_line_errors(cls.logger):
                super().cb_test(ctx, param, value)
            return
        config = ctx.params["config"]
        with one_line_errors(cls.logger), exit_when_output_closes(cls.logger):
            tap = cls(config=config.config, parse_env_config=config.parse_env)
            cls.logger.info("%s", tap.check_access())
            tap.run_connection_test()
            cls.logger.info("Every stream could be read")
        ctx.exit()
