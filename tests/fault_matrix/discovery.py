"""What a fault does to a discovery that asks the vendor: a whole catalog, or a line that says why.

A catalog that lacks something is kept by whoever asked for it. So it may only lack what a warning
names.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tap_khoros_analytics.exports.definitions import EXPORTS
from tap_kit.run.command import one_line_errors

from tests.every_tap import TAPS, Account, told
from tests.fault_matrix import matrix
from tests.fault_matrix.cells import WrongEndError, fault_of, impatient, settings_for
from tests.fault_matrix.places import places
from tests.processes import Ended
from tests.singer import Output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fault_matrix.kinds import Kind
    from tests.fault_matrix.matrix import Cell

TAP = next(tap for tap in TAPS if tap.name == "tap-khoros-analytics")
TITLE = f"{TAP} --discover"
LEARNED = ("author", "conversation_actions", "user", "response")  # by GET and by POST
KNOWN = {name: {"columns": ["A"]} for name in EXPORTS if name not in LEARNED}


def learning(account: Account) -> Account:
    """The account with settings that leave the columns of some exports to be learned."""
    return Account(account.api, {**account.settings, "exports": KNOWN})


def discovered(account: Account) -> Ended:
    """One discovery in this process; its output is the catalog, or empty."""
    code, text = 0, ""
    with told() as said:
        try:
            with one_line_errors(TAP.tap.logger):
                text = json.dumps(TAP.tap(config=dict(account.settings)).catalog_dict)
        except SystemExit as end:
            code = int(str(end.code))
    return Ended(code, Output(text), "".join(said))


def every_cell(account: Account, kind: Kind) -> Iterator[Cell]:
    """All cells of a kind of fault; the account's log has an undisturbed discovery.

    But for one that cannot be told: half a table whose length is right is a whole one.
    """
    found = places(account.log.requests)
    for cell in matrix.every_cell(found, kind):
        if not (kind.fault.get("kind") == "bad_json" and "-exports" in cell.place.kind):
            yield cell


def outcome(account: Account, whole: Ended, cell: Cell) -> str:
    """How the discovery ended, in the words of the page.

    Raises:
        WrongEndError: when it ended neither whole nor well.
    """
    kind, _, lasting = cell
    account.faults[:] = [fault_of(*cell)]
    settings = settings_for(TAP, account, kind, lasting)
    with impatient(kind):
        ended = discovered(Account(account.api, settings))
    account.faults.clear()
    if ended.code == 0 and ended.output.text == whole.output.text:
        return "complete"
    _require(lasting == "for good" and "Traceback" not in ended.stderr, ended)
    if ended.code == 0:
        _require(all(_is_told(ended, name) for name in _missing(whole, ended)), ended)
        return "others continue"
    _require(ended.code == 1 and len(ended.errors) == 1, ended)
    _require(any(word in ended.errors[0] for word in kind.words), ended)
    return "stops"


def _missing(whole: Ended, ended: Ended) -> list[str]:
    found = _streams(ended)
    return [name for name, entry in _streams(whole).items() if found.get(name) != entry]


def _streams(ended: Ended) -> dict[str, Any]:
    return {entry["stream"]: entry for entry in json.loads(ended.output.text)["streams"]}


def _is_told(ended: Ended, name: str) -> bool:
    return any(line.startswith(f"{name}: its columns could not") for line in ended.warnings)


def _require(truth: object, ended: Ended) -> None:
    if not truth:
        msg = f"exit code {ended.code}\n{ended.stderr[-1500:]}"
        raise WrongEndError(msg)
