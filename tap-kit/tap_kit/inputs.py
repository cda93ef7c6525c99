"""The files that a user hands to a tap: settings, state, catalog; told in a line when unusable."""

from __future__ import annotations

import contextlib
from typing import IO, TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, Struct, UnsetType
from singer_sdk.helpers._util import load_json  # what the SDK's own `invoke` reads its files with

from tap_kit.errors import setting_error

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Partition(Struct):
    context: dict[str, Any]


class _Bookmark(Struct):
    partitions: list[_Partition] | UnsetType = UNSET


class State(Struct):
    """What a Singer state has to look like, as far as a tap relies on it."""

    bookmarks: dict[str, _Bookmark] | UnsetType = UNSET


class _Metadata(Struct):
    breadcrumb: list[str]
    metadata: dict[str, Any]


class _CatalogEntry(Struct):
    tap_stream_id: str
    schema: dict[str, Any]
    metadata: list[_Metadata] = []


class Catalog(Struct):
    """What a Singer catalog has to look like."""

    streams: list[_CatalogEntry]


def load_input(file: IO[str] | None, option: str, shape: type[Struct]) -> dict[str, Any] | None:
    """What the file of an option holds: JSON of a ``shape``; None without a file.

    Raises:
        ConfigValidationError: when it holds something else; names the option and the place.
    """
    if file is None:
        return None
    try:
        value: dict[str, Any] = load_json(file.read())
    except ValueError as error:
        problem = f"the file is not JSON: {error}"
        raise setting_error(option, problem) from None
    try:
        msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        problem = f"the file holds no Singer {option.strip('-')}: {error}"
        raise setting_error(option, problem) from None
    return value


@contextlib.contextmanager
def told_as_config() -> Iterator[None]:
    """Inside, a file of settings that cannot be read is an error of ``--config``.

    Raises:
        ConfigValidationError: in place of what the SDK's own reading raises.
    """
    try:
        yield
    except OSError as error:
        raise setting_error("--config", str(error)) from None  # noqa: EM101
    except (TypeError, ValueError) as error:
        problem = f"the file is no JSON object: {error}"
        raise setting_error("--config", problem) from None  # noqa: EM101
