"""The base class of taps: settings checked in one pass, one pipeline for all streams."""

from __future__ import annotations

import abc
from contextlib import ExitStack
from datetime import datetime, timezone
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any

from singer_sdk.exceptions import ConfigValidationError
from typing_extensions import override

from tap_kit.errors import SyncFailed
from tap_kit.net.logs import limit_repeats, make_records_safe
from tap_kit.net.secrets import SECRETS, secret_values
from tap_kit.net.throttle import stop_on_error
from tap_kit.rows.chunks import NoWriter
from tap_kit.run.about import streams_section
from tap_kit.run.batches import BatchingTap
from tap_kit.run.catalogs import catalog_problems, load_catalog
from tap_kit.run.command import (
    exit_on_signals,
    exit_when_output_closes,
    one_line_errors,
    refuse_closed_output,
    stop_on_signals,
)
from tap_kit.run.config import load_config, sdk_config_lines_silenced
from tap_kit.run.environment import environment_hint, environment_settings, load_dotenv_file
from tap_kit.run.memory import infrequent_collections, reuse_freed_memory
from tap_kit.run.output import buffer_output
from tap_kit.run.problems import place_of, setting_of, setting_problems, valid_parts
from tap_kit.run.run import Run
from tap_kit.run.settings import add_missing_settings
from tap_kit.run.states import load_state, log_unknown_streams
from tap_kit.streams import KitStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import click

    from tap_kit.flow.ahead import Work
    from tap_kit.run.settings import Config


class KitTap(BatchingTap, abc.ABC):
    """A tap whose streams share one ordered pipeline of requests."""

    def __init__(
        self,
        *,
        config: Any = None,
        parse_env_config: bool = False,
        validate_config: bool = True,
        setup_mapper: bool = True,
        **kwargs: Any,
    ) -> None:
        make_records_safe()
        given = {k: v for k, v in config.items() if v is not None} if config else {}
        self._from_environment = self._read_environment() if parse_env_config else {}
        given |= self._from_environment
        SECRETS.add(*secret_values(given, self.config_jsonschema))
        with sdk_config_lines_silenced(self.logger):
            super().__init__(config=given, validate_config=False, setup_mapper=False, **kwargs)
        exit_on_signals(self.logger)
        if validate_config and (errors := list(self._described_problems())):
            raise ConfigValidationError("; ".join(errors), errors=errors)
        if setup_mapper:
            if self.input_catalog is not None:
                _ = self.streams  # corrects the keys in the catalog, from which the mapper is made
            self.setup_mapper()

    # Settings

    @classmethod
    def _read_environment(cls) -> dict[str, Any]:
        cls.append_builtin_config(cls.config_jsonschema)
        load_dotenv_file()
        found = environment_settings(cls.config_jsonschema, cls.name)
        cls.logger.info("Settings from the environment: %s", ", ".join(found) or "none")
        return found

    def _described_problems(self) -> Iterator[str]:
        """Yield the problems of the settings; where one is from the environment, its variable."""
        for problem in self.config_problems():
            name, given = setting_of(problem), self._from_environment
            schema = self.config_jsonschema
            hint = environment_hint(name, given[name], schema, self.name) if name in given else ""
            yield problem + hint

    def config_problems(self) -> Iterator[str]:
        """Yield what is wrong with the settings, one line per problem."""
        schema = {**self.config_jsonschema, "additionalProperties": False}
        found = list(setting_problems(self.config, schema))
        yield from found
        places = {place_of(problem) for problem in found}
        own = self.own_problems(valid_parts(self.config, schema))
        yield from (problem for problem in own if place_of(problem) not in places)

    def own_problems(self, config: Config) -> Iterator[str]:  # noqa: ARG002
        """Yield the problems that the schema of the settings cannot express, one line each.

        ``config`` has all parts of the settings that fit the schema, see ``valid_parts``, so that
        problems of all kinds are reported together.
        """
        yield from ()

    @classmethod
    @override
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Add the SDK's settings, also those that the SDK uses without adding them."""
        super().append_builtin_config(config_jsonschema)
        add_missing_settings(config_jsonschema)

    @classmethod
    def required_settings(cls) -> list[list[str]]:
        """Return the required settings: one list for each way to configure the tap."""
        return [list(cls.config_jsonschema["required"])]

    @classmethod
    def variants(cls) -> Mapping[str, Config]:
        """Return the settings that change which streams the tap has, by a heading for each."""
        return {"": {}}

    @property
    def default_requests_per_minute(self) -> int | None:
        """The rate limit if ``requests_per_minute`` is not set; None for no limit."""
        return None

    # The run

    @cached_property
    def run(self) -> Run:
        """What all streams of this run share."""
        return Run(
            self.config,
            default_user_agent=f"{self.name}/{self.plugin_version}",
            logger=self.logger,
            began=datetime.fromtimestamp(self.initialized_at / 1000, tz=timezone.utc),
            write_state=lambda: self.state_writer.write_state(self.state),
            streams=lambda: list(self._selected()),
            on_plan=self.on_plan,
            default_requests_per_minute=self.default_requests_per_minute,
        )

    @abc.abstractmethod
    def check_access(self) -> str:
        """Send a cheap request before anything is written; return what it shows, for the log.

        Raises:
            ConfigValidationError: if a credential or an address is wrong.
        """

    def on_plan(self, work: Sequence[Work]) -> None:
        """React to the streams and partitions to read, in order."""

    def _selected(self) -> Iterator[KitStream[Any, Any]]:
        for stream in self.streams.values():
            if stream.selected and isinstance(stream, KitStream):
                _ = stream.row_check  # made here, because worker threads must not make it
                yield stream

    def execute(self) -> None:
        """Do one whole run: check access, read all streams, always write the bookmarks."""
        reuse_freed_memory()
        run = self.run
        with ExitStack() as whole_run:
            whole_run.enter_context(limit_repeats(self.logger))
            whole_run.enter_context(run.progress)
            whole_run.enter_context(infrequent_collections())
            whole_run.enter_context(run.connections)
            whole_run.enter_context(stop_on_error(run.stop))
            with exit_when_output_closes(self.logger):
                self._refuse_invalid_catalog()
                self.start_batches()
                log_unknown_streams(self.state, self.streams.keys(), self.logger)
                self.check_access()
            with stop_on_signals(run.stop):
                self._sync_streams()
        self._raise_if_failed("All other streams are complete")

    def _refuse_invalid_catalog(self) -> None:
        if errors := list(catalog_problems(self.input_catalog, self.streams, self.logger)):
            raise ConfigValidationError("; ".join(errors), errors=errors)

    def _raise_if_failed(self, others: str) -> None:
        """End the command with the tasks that failed; ``others`` says what is true of the rest."""
        if failed := self.run.failed:
            msg = f"{others}; these failed: {'; '.join(failed)}"
            raise SyncFailed(msg)

    def _sync_streams(self) -> None:
        outcome = "Stopped early"
        try:
            self.sync_all()
            outcome = "Done"
        finally:
            for stream in self._selected():
                stream.row_check.report_nulls()
            self.run.finish(outcome)

    # Command line

    @classmethod
    @override
    def print_about(cls, output_format: str | None = None) -> None:
        """Print a description of the tap; in Markdown with its streams."""
        super().print_about(output_format)
        if output_format == "markdown":
            for name, config in cls.variants().items():
                tap = cls(config=config, validate_config=False, setup_mapper=False)
                print(streams_section(name, tap.streams.values()))  # noqa: T201  (as the SDK does)

    @classmethod
    @override
    def invoke(  # type: ignore[override]  # as the SDK's own Tap.invoke does
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        state: str | IO[str] | None = None,
        catalog: str | IO[str] | None = None,
    ) -> None:
        """Run the command line as the SDK does; log errors that the user can fix as one line."""
        with one_line_errors(cls.logger):
            if about:
                super().invoke(about=about, about_format=about_format)
            cls.print_version(print_fn=cls.logger.info)
            with exit_when_output_closes(cls.logger):
                tap = cls(
                    config=config.config if config else None,
                    parse_env_config=bool(config and config.parse_env),
                    state=load_state(state, cls.logger),
                    catalog=load_catalog(catalog),
                )
            tap.execute()

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        """Return the SDK's command, whose files the tap reads itself."""
        refuse_closed_output(cls.logger)
        buffer_output()
        command = super().get_singer_command()
        options = {option.name: option for option in command.params}
        for name in ("state", "catalog"):
            options[name].type = options["config"].type  # a text, not an open file
        options["catalog"].is_eager = True  # read before --test, which needs it
        return command

    @classmethod
    @override
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """Read the settings; log a file that is missing or not JSON as one line."""
        make_records_safe()
        with one_line_errors(cls.logger):
            return load_config(value)

    @classmethod
    @override
    def cb_version(cls, ctx: click.Context, param: click.Option, value: bool) -> None:
        """Print the version; log an error of the output as one line."""
        with one_line_errors(cls.logger):
            super().cb_version(ctx, param, value)

    @classmethod
    @override
    def cb_discover(cls, ctx: click.Context, param: click.Option, value: bool) -> None:
        """Discover; log a wrong credential as one line."""
        with one_line_errors(cls.logger), exit_when_output_closes(cls.logger):
            super().cb_discover(ctx, param, value)

    @classmethod
    @override
    def cb_test(cls, ctx: click.Context, param: click.Option, value: str) -> None:
        """Test access, and read a record of each selected stream; write no messages."""
        if value != "all":
            with one_line_errors(cls.logger):
                super().cb_test(ctx, param, value)
            return
        config = ctx.params["config"]
        with one_line_errors(cls.logger), exit_when_output_closes(cls.logger):
            tap = cls(
                config=config.config,
                parse_env_config=config.parse_env,
                catalog=load_catalog(ctx.params.get("catalog")),
                message_writer=NoWriter(),
            )
            tap._refuse_invalid_catalog()
            cls.logger.info("%s", tap.check_access())
            tap.run_sync_dry_run(streams=[s for s in tap.streams.values() if s.selected])
            tap._raise_if_failed("The other streams can be read")
            cls.logger.info("Every stream could be read")
        ctx.exit()
