"""The errors of a run, sorted by who needs to act.

==========================  ==========================================================
``ConfigValidationError``   the user: a setting or a credential is wrong (the SDK's own class)
``PartitionUnavailable``    the vendor refuses one partition: warn, read the others
``JobFailed``               the vendor failed at one window: read the others, exit code 1
``Retriable``               no action needed: the same request may succeed in a moment
``SyncFailed``              the run stops and can be resumed: no retries are left, or a response
                            is not what the API promises
``Interrupted``             no action needed: the run is being stopped
==========================  ==========================================================
"""

from __future__ import annotations

from singer_sdk.exceptions import ConfigValidationError


class KitError(Exception):
    """An error whose message is complete: one line, without a secret, no traceback needed."""


class Retriable(KitError):
    """An attempt failed and another one may succeed.

    ``retry_after`` is the wait that the server asks for, in seconds; None if it does not ask.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SyncFailed(KitError):
    """The run stops here. The bookmarks cover what was written so far."""


class JobFailed(SyncFailed):
    """A window, such as its job, failed. The others are read; the run exits with code 1."""


class PartitionUnavailable(KitError):
    """The vendor refuses one partition (403) or no longer has it (404).

    ``status`` is the HTTP status of the refusal; None if there is none.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Interrupted(KitError):
    """The run is being stopped."""


def setting_error(setting: str, problem: str) -> ConfigValidationError:
    """Return the SDK's error for an invalid setting: ``api_url must be ...``.

    ``problem`` is a predicate. The SDK's command line prints only ``errors``.
    """
    message = f"{setting} {problem}"
    return ConfigValidationError(message, errors=[message])
