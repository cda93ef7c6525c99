"""The first request of a run, which shows whether the address leads to the vendor's API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_kit.errors import PartitionUnavailable, Retriable, SyncFailed, setting_error
from tap_kit.net.bodies import parse_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_kit.net.http import Api, Check, Request

NOT_FOUND = frozenset({404, 405, 406, 410, 415})  # of a server that has no such path


class _NotTheApi(Retriable):
    """A successful response that the API does not send; a proxy may have sent it."""


def send_first(
    api: Api,
    request: Request,
    foreign: Callable[[Any], str | None],
    check: Check,
    *,
    what: str,
) -> Any:
    """Return the JSON value of the response to the first request of a run.

    ``foreign`` returns why a value comes from another service, ``check`` what else is wrong with
    the response. ``what`` names the API in messages.

    Raises:
        ConfigValidationError: if the last response is not one of this API; it names ``api_url``.
        Exception: what the API raises otherwise.
    """

    def decode(body: bytes, source: str) -> Any:
        try:
            value = parse_json(body, source)
        except Retriable as error:
            raise _NotTheApi(str(error)) from None
        if problem := foreign(value):
            msg = f"{source}: {problem}"
            raise _NotTheApi(msg)
        return value

    try:
        return api.send(request, object, check, decode=decode).value
    except PartitionUnavailable as error:
        if error.status not in NOT_FOUND:
            raise
        reason = str(error)
    except SyncFailed as error:
        if not isinstance(error.__cause__, _NotTheApi):
            raise
        reason = str(error.__cause__)
    wrong = setting_error("api_url", f"does not lead to {what}: {reason}")
    raise wrong from None
