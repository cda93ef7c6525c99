"""Read the settings of a run: from files, and from the environment."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_kit.errors import setting_error
from tap_kit.run.files import load_json_file

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Sequence

_OPTION = "--config"
_SDK_LINES = {"Config validation failed", "Skipping parse of env var settings..."}


@dataclass(frozen=True)
class ConfigInput:
    """The values of ``--config``, in the form that the SDK's command line uses."""

    config: dict[str, Any] = field(default_factory=dict)
    parse_env: bool = False


def load_config(values: Sequence[str]) -> ConfigInput:
    """Return the settings in the files of ``--config``; a later file has priority.

    ``ENV`` stands for the environment.

    Raises:
        ConfigValidationError: if a file cannot be read, or is not a JSON object.
    """
    merged: dict[str, Any] = {}
    for path in values:
        if path == "ENV":
            continue
        config = load_json_file(path, _OPTION, "a JSON object")
        if not isinstance(config, dict):
            problem = f"must be a JSON object: {path} has another type"
            raise setting_error(_OPTION, problem)
        merged |= config
    return ConfigInput(merged, parse_env="ENV" in values)


@contextlib.contextmanager
def sdk_config_lines_silenced(logger: logging.Logger) -> Iterator[None]:
    """Silence the SDK's lines about settings: the tap logs which are invalid, and their source."""

    def is_other(record: logging.LogRecord) -> bool:
        return record.msg not in _SDK_LINES

    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)
