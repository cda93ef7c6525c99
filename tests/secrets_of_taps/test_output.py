"""No secret is in what a tap writes, neither on stdout nor in its log, whatever fails."""

from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from sandbox.exchange import Request, Response, json_response
from sandbox.faults import Fault
from sandbox.frame import Frame
from sandbox.server import running

from tests.every_tap import EXECUTABLES, TAPS, Account, EveryTap
from tests.processes import Ended, execute
from tests.secrets_of_taps.forms import forms, found_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fault_matrix.parts import Served

REFUSALS = (400, 401, 403, 404, 405, 415, 422)


def assert_no_secrets(tap: EveryTap, *texts: str) -> None:
    """Check that no secret is in any of the texts, in any form."""
    for text in texts:
        assert found_in(text, tap.secrets.values()) == set()


def run_in_debug(tap: EveryTap, account: Account, **changes: Any) -> Ended:
    """Run the tap with debug logging of the tap and its libraries."""
    before = logging.getLogger(tap.name).level
    try:
        return tap.run(
            {**account.settings, **changes}, catalog=account.catalog, level=logging.DEBUG
        )
    finally:
        logging.getLogger(tap.name).setLevel(before)


def test_secrets_are_found_in_any_form() -> None:
    secret = 'a"b/c+d=e%f&123'  # noqa: S105
    for form in forms(secret):
        assert found_in(f"so it says {form} here", [secret])
    assert found_in("nothing to see", [secret]) == set()


@pytest.mark.parametrize("turn", [0, 3])
@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_no_secret_is_written_when_a_request_is_refused(
    served: Served, tap: EveryTap, turn: int
) -> None:
    """Each kind of request is refused with two statuses, in the smallest run that sends it."""
    for number, part in enumerate(served.tried(tap).parts, start=turn):
        status = REFUSALS[number % len(REFUSALS)]
        part.account.faults[:] = [
            Fault("status", status=status, path=part.place.path, method=part.place.method)
        ]
        ended = run_in_debug(tap, part.account)
        assert f'HTTP/1.1" {status}' in ended.stderr  # debug logging is on
        assert_no_secrets(tap, ended.output.text, ended.stderr)


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 422, 429, 500])
@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_no_secret_is_written_that_a_server_repeats(
    served: Served, tap: EveryTap, status: int
) -> None:
    """A server may quote the whole request in the body and the headers of its response."""

    async def mirror(request: Request) -> Response:
        quoted = json.dumps([dict(request.headers), request.target])
        where = ("location", f"https://elsewhere.example{request.target}")
        headers = (where, ("retry-after", request.headers.get("authorization", "")))
        body = dict.fromkeys(("error", "message", "result", "data", "status"), quoted)
        return json_response(body, status, headers)

    with running(Frame(mirror)) as server:
        elsewhere = dict.fromkeys(tap.addresses, server.url)
        ended = run_in_debug(tap, served.tried(tap).account, **elsewhere)
    assert ended.code == 1
    assert_no_secrets(tap, ended.output.text, ended.stderr)


@pytest.mark.parametrize("arguments", [(), ("--discover",), ("--test",), ("--about",)], ids=str)
@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_no_secret_is_in_any_output_of_the_executable(
    tap: EveryTap, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    with tap.serving() as account:
        ended = _execute(tap, account, tmp_path, *arguments)
    assert ended.code == 0, ended.stderr[-2000:]
    assert_no_secrets(tap, ended.output.text, ended.stderr, json.dumps(_state(ended)))


def _state(ended: Ended) -> Any:
    return ended.output.state if '"STATE"' in ended.output.text else None


# Where a bug of the tap raises an error, in a worker or in the main thread.
CRASHES = {
    "while it sends": "requests.Session.request",
    "while it checks rows": "tap_kit.rows.check.RowCheck.rows",
    "while it reads a response": "tap_kit.net.reading.BodyReader.read",
    "while it writes": "tap_kit.rows.chunks.record_lines",
}


@pytest.mark.parametrize("place", CRASHES)
@pytest.mark.parametrize("tap", TAPS, ids=str)
def test_no_secret_is_in_the_traceback_of_a_crash(
    served: Served, tap: EveryTap, place: str
) -> None:
    bug = RuntimeError(f"a bug of the tap with {' and '.join(tap.secrets.values())}")
    account = served.tried(tap).account
    with patch(CRASHES[place], side_effect=bug):
        ended = run_in_debug(tap, account)
    assert ended.code == 1
    assert "(RuntimeError: a bug of the tap with ***" in ended.errors[-1]
    assert "\n  Traceback (most recent call last):\n" in ended.stderr
    assert "\n  RuntimeError: a bug of the tap with ***" in ended.stderr
    assert_no_secrets(tap, ended.output.text, ended.stderr)


CRASHING = """\
import sys
from unittest.mock import patch
from {module} import {tap}
sys.argv[0] = "{name}"
with patch("requests.Session.request", side_effect=RuntimeError({message!r})):
    {tap}.cli()
"""


def test_no_secret_is_in_the_traceback_that_a_process_prints(tmp_path: Path) -> None:
    """The process formats the traceback by the SDK's logging configuration."""
    tap, script = EXECUTABLES[0], tmp_path / "crashing.py"
    script.write_text(
        CRASHING.format(
            module=tap.tap.__module__,
            tap=tap.tap.__name__,
            name=tap.name,
            message=f"a bug of the tap with {' and '.join(tap.secrets.values())}",
        ),
        encoding="utf-8",
    )
    with tap.serving() as account:
        ended = _execute(tap, account, tmp_path, command=(sys.executable, str(script)))
    assert ended.code == 1, ended.stderr[-2000:]
    assert "\n  RuntimeError: a bug of the tap with ***" in ended.stderr
    assert_no_secrets(tap, ended.output.text, ended.stderr)


def _execute(
    tap: EveryTap,
    account: Account,
    folder: Path,
    *arguments: str,
    command: tuple[str, ...] | None = None,
) -> Ended:
    """Run the executable with debug logging."""
    files = {"--config": account.settings}
    if account.catalog is not None and "--discover" not in arguments:
        files["--catalog"] = account.catalog
    options = []
    for option, value in files.items():
        path = folder / f"{option.strip('-')}.json"
        path.write_text(json.dumps(value), encoding="utf-8")
        options += [option, str(path)]
    names = ("LOGLEVEL", f"{tap.name.upper().replace('-', '_')}_LOGLEVEL")
    return execute(
        *(command or (str(tap.executable),)),
        *options,
        *arguments,
        environment=dict.fromkeys(names, "debug"),
    )
