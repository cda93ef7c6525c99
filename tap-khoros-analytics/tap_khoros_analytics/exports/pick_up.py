"""Which job of an earlier run is as good as a new one."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tap_khoros_analytics.exports.parameters import epoch_ms, fingerprint

if TYPE_CHECKING:
    from tap_kit.jobs.runner import Ids
    from tap_kit.net.http import Params

    from tap_khoros_analytics.exports.parameters import Span

DOWNLOADABLE = timedelta(hours=20)  # of the 24 h that the vendor promises


def marks(params: Params) -> dict[str, str]:
    """What the state keeps of a job besides its ids: what it was asked for, and up to when."""
    return {"asked": fingerprint(params), "until": str(params["endTime"])}


def still_good(known: Ids | None, params: Params, span: Span) -> Ids | None:
    """The ids of a job that brings what ``params`` ask for; None where a new one is needed.

    A job that was started while its window was not over brings the rest of the window too late:
    it will do as long as the window is not over, since it is then read again anyway.
    """
    if known is None or known.get("asked") != fingerprint(params):
        return None
    if not (known.get("workflow_id") and known.get("run_id")):
        return None
    now = datetime.now(timezone.utc)
    is_whole = known.get("until") == epoch_ms(span.end)
    if not is_whole and now >= span.end:
        return None
    try:
        age = now - datetime.fromisoformat(known["started_at"])
    except (KeyError, TypeError, ValueError):
        return None
    return known if age < DOWNLOADABLE else None
