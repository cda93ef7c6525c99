"""What a fault does to the requests by which a stopped run cancels its queries at the vendor.

The state does not contain a cancelled query. It contains a query whose cancelling is not confirmed,
and the next run resumes it. In both cases the next run reads all rows.
"""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING

from sandbox.kissmetrics import RunRules
from tap_kit.run.command import one_line_errors

from tests.every_tap import TAPS, captured_log
from tests.fault_matrix.cells import fault_of, require, require_next_run_completes
from tests.fault_matrix.places import Place
from tests.processes import Ended, collected
from tests.singer import Output

if TYPE_CHECKING:
    from tests.every_tap import Account
    from tests.fault_matrix.cells import Undisturbed
    from tests.fault_matrix.matrix import Cell

TAP = next(tap for tap in TAPS if tap.version == "v3")
TITLE = f"{TAP}, stopped"
RUNNING = 3
NEVER_DONE, DONE_AT_FIRST_POLL = RunRules(run_seconds=3600), RunRules(polls=1)
PLACES = tuple(
    Place("DELETE /v3/queries/*", "DELETE", "^/v3/queries/[^/?]+$", which, number)
    for number, which in enumerate(("first", "middle", "last"), start=1)
)
PATIENCE_S = 20


def run_and_stop(account: Account) -> Ended:
    """Run the tap in this process and stop it when three queries are running."""
    made = TAP.tap(config={**account.settings, "max_concurrency": RUNNING})

    def stop() -> None:
        end = time.monotonic() + PATIENCE_S
        while _started(account) < RUNNING and time.monotonic() < end:
            time.sleep(0.005)
        time.sleep(0.02)  # the responses arrive
        made.run.stop.set()

    code = 0
    with collected() as written, captured_log() as log_lines:
        watcher = threading.Thread(target=stop)
        watcher.start()
        try:
            with one_line_errors(TAP.tap.logger):
                made.execute()
        except SystemExit as end:
            code = int(str(end.code))
        watcher.join()
    return Ended(code, Output(written.getvalue().decode()), "".join(log_lines))


def _started(account: Account) -> int:
    return sum(1 for one in account.log.requests if one.method == "POST" and one.ended)


def outcome(account: Account, whole: Undisturbed, cell: Cell) -> str:
    """Return whether all queries were cancelled, or some are left for the next run.

    Raises:
        WrongEndError: if the next run does not read what is missing.
    """
    api = account.api
    account.log.clear()
    account.faults[:] = [fault_of(*cell)]
    api.run_rules = NEVER_DONE
    cancelled = len(api.cancelled)
    ended = run_and_stop(account)
    account.faults.clear()
    api.run_rules = DONE_AT_FIRST_POLL
    require(ended.code > 128, ended)
    require("Traceback" not in ended.stderr, ended)
    require(not ended.errors, ended)
    kept = json.dumps(ended.output.state).count('"query_id"')
    require(len(api.cancelled) - cancelled + kept >= RUNNING, ended)
    require_next_run_completes(TAP, account, whole, ended)
    return "left for the next run" if kept else "cancelled"
