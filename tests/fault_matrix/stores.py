"""What faults of a store do to a run over the raw data export of Kissmetrics.

A store has other faults than an API: it refuses an object that its list has, it asks to slow down,
its objects end early. Some of them are final: the tap does not retry them, so they last for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.kissmetrics.raw import RawExport, RawSizes
from sandbox.kissmetrics.raw.s3 import serving
from tap_kissmetrics.tap import TapKissmetrics

from tests.every_tap import Account, EveryTap
from tests.fault_matrix import cells
from tests.fault_matrix.cells import DURATIONS, WrongEndError
from tests.fault_matrix.kinds import BROKEN, TOO_LATE_MS, Kind
from tests.fault_matrix.places import Place
from tools.pages.fault_page import Results

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import ExitStack

    from tests.fault_matrix.cells import Duration, Undisturbed

KEY, SECRET = "k3y-id-of-nobody", "s3cr3t/of+nobody=&%f1"
BUCKET = "shop-export"
INDEX, STATUS, LIST, FILE = "GET index.csv", "GET status.csv", "GET list of files", "GET a file"
NO_BODY = ("is not CSV", "is not a list of objects", "bytes", "is longer than")
KINDS = (
    Kind("500", {"status": 500}, ("HTTP 500",)),
    Kind("503 SlowDown", {"status": 503}, ("HTTP 503",)),
    Kind("503 SlowDown, Retry-After", {"status": 503, "retry_after": 1}, ("asks to wait",)),
    Kind("reset before the response", {"kind": "reset"}, BROKEN),
    Kind("reset in the body", {"kind": "reset_body"}, BROKEN),
    Kind("cut in the middle", {"kind": "cut_body"}, BROKEN),
    Kind("half, with the right length", {"kind": "bad_json"}, (*NO_BODY, *BROKEN)),
    Kind("empty body", {"kind": "empty"}, NO_BODY),
    Kind("slow response", {"kind": "stall", "wait_ms": TOO_LATE_MS}, ("no response within",)),
    Kind("slow object", {"kind": "slow_body", "wait_ms": TOO_LATE_MS}, ("no response within",)),
    Kind("HTML with 200", {"kind": "html"}, NO_BODY),
    Kind("wrong Content-Encoding", {"kind": "wrong_encoding"}, ("compress", *NO_BODY)),
    Kind("403 AccessDenied", {"status": 403}, ("cannot be read (AccessDenied)",)),
    Kind("404", {"status": 404}, ("is missing", "names no bucket")),
    Kind("412, written again", {"status": 412}, ("written again", "PreconditionFailed")),
    Kind(
        "redirect elsewhere",
        {"kind": "redirect", "location": "http://127.0.0.1:1/x", "status": 307},
        ("redirects elsewhere",),
    ),
)
_FINAL = {"403 AccessDenied", "404", "412, written again", "redirect elsewhere"}
PLACES = (
    Place(INDEX, "GET", r"/index\.csv$", "only", 1),
    Place(STATUS, "GET", r"/status\.csv$", "only", 1),
    Place(LIST, "GET", "list-type=2", "only", 1),
    *(
        Place(FILE, "GET", "/revisions/", which, number)
        for number, which in ((1, "first"), (2, "middle"), (3, "last"))
    ),
)


def _serve(stack: ExitStack) -> Account:
    export = RawExport(RawSizes(files=4, lines=10))  # the second one is empty: no request
    served = stack.enter_context(serving({BUCKET: export}))
    settings = {
        "raw_exports": [{"product": "shop", "url": f"s3://{BUCKET}"}],
        "aws_access_key_id": KEY,
        "aws_secret_access_key": SECRET,
        "aws_endpoint_url": served.url,
    }
    return Account(served.store, settings)


TAP = EveryTap(
    TapKissmetrics,
    {"aws_secret_access_key": SECRET},
    _serve,
    ("aws_endpoint_url",),
    version="raw data export",
)


def durations(kind: Kind, place: Place) -> tuple[Duration, ...]:
    """Return how long a fault lasts: for good only, if the tap does not retry it.

    Half of a table with the right length cannot be recognized; the next run reads the rest.
    """
    if kind.fault.get("kind") == "bad_json" and place.kind in {INDEX, STATUS}:
        return ()
    return ("for good",) if kind.name in _FINAL else DURATIONS


def every_cell(kind: Kind) -> Iterator[tuple[Place, Duration]]:
    """Yield the cells of a kind of fault."""
    return ((place, duration) for place in PLACES for duration in durations(kind, place))


def results_of(account: Account, kinds: Iterable[Kind]) -> Results:
    """Run every cell of these kinds of faults."""
    whole: Undisturbed = cells.undisturbed(TAP, account)
    results = Results(str(TAP))
    for kind in kinds:
        for place, duration in every_cell(kind):
            try:
                end = cells.outcome(TAP, account, whole, kind, place, duration)
            except WrongEndError as error:
                end = "WRONG"
                results.wrong.append(f"{kind.name}, {place}, {duration}: {error}")
            results.add(kind.name, place.kind, end, is_temporary=duration != "for good")
    return results
