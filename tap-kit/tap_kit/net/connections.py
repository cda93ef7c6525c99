"""A tap's connections to its vendor: opened in one way, closed when the run ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_kit.net.http import Api

if TYPE_CHECKING:
    from requests.auth import AuthBase

    from tap_kit.net.http import ErrorMapper
    from tap_kit.tap import KitTap


def api_at(
    tap: KitTap,
    url: str,
    *,
    auth: AuthBase,
    error_for: ErrorMapper,
    prefixes: tuple[str, ...] = ("/",),
) -> Api:
    """The API at ``url``, within ``tap``'s budget of requests; ``http.Api`` says what these are."""
    api = Api(
        url,
        auth=auth,
        error_for=error_for,
        throttle=tap.throttle,
        timeout_s=tap.config["request_timeout"],
        user_agent=tap.user_agent,
        connections=tap.config["max_concurrency"],
        prefixes=prefixes,
    )
    tap.connections.callback(api.close)
    return api
