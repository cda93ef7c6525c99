"""The last guard around a task: an unexpected error becomes one line that names the request."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from singer_sdk.exceptions import ConfigValidationError

from tap_kit.errors import KitError, SyncFailed
from tap_kit.net.exchange import last_source
from tap_kit.net.secrets import short_text

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

_TEXT_LENGTH = 200  # characters of the text of an unexpected error


@contextlib.contextmanager
def guard(what: object) -> Iterator[None]:
    """Turn an unexpected error inside into one that ends the run with one line.

    ``what`` is named in it. The traceback is logged at level DEBUG.

    Raises:
        SyncFailed: in place of an error that is neither one of the kit nor about a setting.
    """
    try:
        yield
    except (KitError, ConfigValidationError):
        raise
    except Exception as error:
        logger.debug("%s: unexpected error", what, exc_info=True)
        msg = f"{what}: {unexpected(error)}"
        raise SyncFailed(msg) from None


def unexpected(error: Exception) -> str:
    """Return what happened, as one line, for an error that no code expected."""
    reason = short_text(str(error), _TEXT_LENGTH)
    text = f"{type(error).__name__}: {reason}".rstrip(": ")
    if isinstance(error, (OSError, MemoryError)):  # of this machine
        return text
    request = last_source()
    about = f" while it read the response to {request}" if request else ""
    return f"unexpected error{about} ({text}); log level DEBUG shows the traceback"
