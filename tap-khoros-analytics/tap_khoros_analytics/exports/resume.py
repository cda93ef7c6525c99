"""Decide whether the job of an earlier run can be resumed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tap_kit import SyncFailed

from tap_khoros_analytics.client import job_path
from tap_khoros_analytics.exports.parameters import epoch_ms, fingerprint

if TYPE_CHECKING:
    from tap_kit import Ids, Params

    from tap_khoros_analytics.exports.parameters import Span

DOWNLOADABLE = timedelta(hours=20)  # less than the 24 h for which the vendor keeps a download


def job_record(params: Params) -> dict[str, str]:
    """Return what the state keeps of a job besides its ids: a fingerprint and the end time."""
    return {"asked": fingerprint(params), "until": str(params["endTime"])}


def resumable(known: Ids | None, params: Params, span: Span) -> Ids | None:
    """Return ``known`` if that job brings what ``params`` request; None if a new one is needed.

    A job that was started before its window was over lacks the rest of the window. It is resumed
    while the window is not over, since the window is then read again anyway.
    """
    if known is None or known.get("asked") != fingerprint(params):
        return None
    try:
        job_path(known, "status")
    except (KeyError, SyncFailed):  # the state may have been edited by hand
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
