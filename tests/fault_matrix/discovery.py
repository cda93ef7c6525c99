"""What a fault does to a discovery that sends requests: a complete catalog, or an error line.

Users keep a catalog, so it may lack only what a warning names.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tap_khoros_analytics.exports.definitions import EXPORTS
from tap_kit.run.command import one_line_errors

from tests.every_tap import TAPS, Account, captured_log
from tests.fault_matrix import matrix
from tests.fault_matrix.cells import fault_of, require, settings_for, short_timeout
from tests.processes import Ended
from tests.singer import Output

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from tests.fault_matrix.kinds import Kind
    from tests.fault_matrix.matrix import Cell
    from tests.fault_matrix.places import Place

TAP = next(tap for tap in TAPS if tap.name == "tap-khoros-analytics")
TITLE = f"{TAP} --discover"
DISCOVERED = ("author", "conversation_actions", "user", "response")  # by GET and by POST
CONFIGURED = {name: {"columns": ["A"]} for name in EXPORTS if name not in DISCOVERED}


def without_columns(account: Account) -> Account:
    """Return the account with settings that leave the columns of some exports to discovery."""
    return Account(account.api, {**account.settings, "exports": CONFIGURED})


def discover(account: Account) -> Ended:
    """Run one discovery in this process; its output is the catalog, or empty."""
    code, text = 0, ""
    with captured_log() as log_lines:
        try:
            with one_line_errors(TAP.tap.logger):
                text = json.dumps(TAP.tap(config=dict(account.settings)).catalog_dict)
        except SystemExit as end:
            code = int(str(end.code))
    return Ended(code, Output(text), "".join(log_lines))


def every_cell(found: Sequence[Place], kind: Kind) -> Iterator[Cell]:
    """Yield the cells of a kind of fault at the requests of an undisturbed discovery.

    One kind is left out: half a CSV table with the right length cannot be recognized.
    """
    for cell in matrix.every_cell(found, kind):
        if not (kind.fault.get("kind") == "bad_json" and "-exports" in cell.place.kind):
            yield cell


def require_no_effect(account: Account, whole: Ended, kind: Kind, hit: Collection[Place]) -> None:
    """Require that one discovery with a temporary fault at all of these places is complete.

    Raises:
        WrongEndError: if it is not.
    """
    account.faults[:] = [fault_of(kind, place, "once") for place in hit]
    with short_timeout(kind):
        ended = discover(account)
    account.faults.clear()
    require(ended.code == 0 and ended.output.text == whole.output.text, ended)


def outcome(account: Account, whole: Ended, cell: Cell) -> str:
    """Return how the discovery ended, in a word of the page.

    Raises:
        WrongEndError: if it ended neither complete nor with a clean stop.
    """
    kind, _, duration = cell
    account.faults[:] = [fault_of(*cell)]
    settings = settings_for(TAP, account, kind, duration)
    with short_timeout(kind):
        ended = discover(Account(account.api, settings))
    account.faults.clear()
    if ended.code == 0 and ended.output.text == whole.output.text:
        return "complete"
    require(duration == "for good" and "Traceback" not in ended.stderr, ended)
    if ended.code == 0:
        require(all(_is_reported(ended, name) for name in _missing(whole, ended)), ended)
        return "others continue"
    require(ended.code == 1 and len(ended.errors) == 1, ended)
    require(any(word in ended.errors[0] for word in kind.words), ended)
    return "stops"


def _missing(whole: Ended, ended: Ended) -> list[str]:
    found = _streams(ended)
    return [name for name, entry in _streams(whole).items() if found.get(name) != entry]


def _streams(ended: Ended) -> dict[str, Any]:
    return {entry["stream"]: entry for entry in json.loads(ended.output.text)["streams"]}


def _is_reported(ended: Ended, name: str) -> bool:
    return any(
        line.startswith(f"{name}: discovery of its columns failed") for line in ended.warnings
    )
