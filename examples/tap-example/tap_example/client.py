"""The invented API: its address, its token, and what each of its error statuses means."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_kit import (
    BearerToken,
    ErrorResponse,
    JobState,
    PartitionUnavailable,
    Poll,
    Request,
    SyncFailed,
    setting_error,
)

if TYPE_CHECKING:
    from tap_kit import Api, Ids, JobRunner, Run

STATES = {"running": JobState.RUNNING, "done": JobState.DONE}


class Client:
    """The API with the settings of a run; it is opened when the first request needs it."""

    def __init__(self, run: Run) -> None:
        self.run = run

    @cached_property
    def api(self) -> Api:
        """The API."""
        token = BearerToken(self.run.config["api_token"])
        return self.run.open_api(self.run.config["api_url"], auth=token, error_for=error_for)

    @cached_property
    def runner(self) -> JobRunner:
        """The runner of exports."""
        return self.run.job_runner(longest_s=30, growth=1.5)


def error_for(response: ErrorResponse) -> Exception:
    """Return the error for a status that a retry does not change."""
    match response.status:
        case 401:
            return setting_error("api_token", "was rejected by the server (HTTP 401)")
        case 403 | 404:
            problem = f"the server refuses it (HTTP {response.status})"
            return PartitionUnavailable(problem, status=response.status)
        case status:
            return SyncFailed(f"{response.source}: HTTP {status}")


@dataclass(frozen=True)
class Export:
    """A job of the vendor's: ``POST /exports`` starts it, ``GET /exports/{id}`` is its state."""

    api: Api
    day: str

    def start(self) -> Ids:
        """Start the export; return its id."""
        request = Request("/exports", method="POST", body={"day": self.day})
        return {"export_id": str(self.api.send(request, dict).value["id"])}

    def poll(self, ids: Ids) -> Poll:
        """Ask for the state; the result of a finished export is the path of its rows."""
        path = f"/exports/{ids['export_id']}"
        response: dict[str, Any] = self.api.send(Request(path, urgent=False), dict).value
        state = STATES.get(response["state"], JobState.FAILED)
        return Poll(state, result=f"{path}/rows", reason=response["state"])
