"""What can go wrong, sorted by whose turn it is.

==========================  ==========================================================
``ConfigValidationError``   the user's: a setting or a credential (the SDK's own class)
``PartitionUnavailable``    the vendor says no for one partition: warn, go on with the others
``JobFailed``               the vendor's: the stream ends, the others go on, exit code 1
``Retriable``               nobody's: the same request may succeed in a moment
``SyncFailed``              the run stops here and can be resumed: retries used up, or an answer
                            that is not what the API promises
``Interrupted``             the run is being stopped
==========================  ==========================================================
"""

from __future__ import annotations

from singer_sdk.exceptions import ConfigValidationError


class KitError(Exception):
    """An error whose message is complete: one line, no traceback needed, no secret in it."""


class Retriable(KitError):
    """An attempt failed in a way that another attempt may cure.

    ``retry_after`` is what the server asked for, in seconds; None when it did not say.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SyncFailed(KitError):
    """The run stops; what was written so far is covered by the bookmarks."""


class JobFailed(SyncFailed):
    """The vendor could not do the work of one stream; the others go on, the run ends with 1."""


class PartitionUnavailable(KitError):
    """The vendor refuses one partition (403) or no longer knows it (404)."""


class Interrupted(KitError):
    """The run was asked to stop while it waited."""


def setting_error(setting: str, problem: str) -> ConfigValidationError:
    """The SDK's error for a wrong setting; its command line prints only ``errors``."""
    message = f"{setting}: {problem}"
    return ConfigValidationError(message, errors=[message])
