"""Run a tap against an attack in a process of its own, and judge how it ended."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tests.attacks.accounts import ACCOUNTS
from tests.attacks.attack import MAX_LINE, MAX_PEAK_MIB
from tests.attacks.server import Server
from tests.attacks.sizes import Late
from tests.processes import clean_environment
from tests.secrets_of_taps.forms import forms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from io import BufferedReader

    from tests.attacks.accounts import Account
    from tests.attacks.attack import Attack

BIN = Path(os.environ.get("ATTACKED_BIN", str(Path(sys.executable).parent)))
_POLL_S = 0.02
_HANG_FACTOR = 2  # of the longest time; then the run is ended


@dataclass
class Ended:
    """The end of a run: its exit code, its output and its cost."""

    code: int
    seconds: float
    peak_mib: float
    rows: int
    stderr: str
    problems: list[str] = field(default_factory=list)

    def errors(self) -> list[str]:
        """Return the texts of the lines at level ERROR or CRITICAL."""
        parts = (line.split(" | ", 3) for line in self.stderr.splitlines())
        return [p[3] for p in parts if len(p) == 4 and p[1].strip() in {"ERROR", "CRITICAL"}]


def run(attack: Attack) -> Ended:
    """Return how a run ended that was attacked, with all problems of its end."""
    account = ACCOUNTS[attack.account]
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for reply in attack.routes.values():
            if isinstance(reply, Late):
                stack.enter_context(reply.made())
        server = stack.enter_context(Server({**account.routes, **attack.routes}))
        around = stack.enter_context(attack.around()) if attack.around else {}
        settings = {name: value for name, value in around.items() if name.islower()}
        variables = {name: value for name, value in around.items() if not name.islower()}
        environment = {**attack.environment, **variables}
        config = account.config(server.port, {**attack.settings, **settings})
        command = _command(attack, account, config, folder)
        ended = _execute(attack, command, environment)
        paths = [request.path for request in server.heard]
    ended.problems += _problems(attack, account, ended)
    if attack.never:
        ended.problems += [f"requested {one[:80]}" for one in paths if attack.never in one]
    return ended


def _command(
    attack: Attack, account: Account, config: Mapping[str, Any], folder: Path
) -> list[str]:
    streams = attack.streams or tuple(account.streams)
    files = {
        "config": json.dumps(config).encode(),
        "catalog": _catalog(attack.account, streams),
        **{option: b"".join(p * n for p, n in parts) for option, parts in attack.files.items()},
    }
    command = [str(BIN / account.tap)]
    for option, content in files.items():
        path = folder / f"{option}.json"
        path.write_bytes(content)
        command += [f"--{option}", str(path)]
    return command


@functools.cache
def discovered(account_name: str) -> dict[str, Any]:
    """Return the catalog that the tap of an account discovers."""
    account = ACCOUNTS[account_name]
    with tempfile.TemporaryDirectory() as folder, Server(account.routes) as server:
        path = Path(folder, "config.json")
        path.write_text(json.dumps(account.config(server.port, {})))
        command = [str(BIN / account.tap), "--config", str(path), "--discover"]
        environment = clean_environment()
        found = subprocess.run(command, capture_output=True, check=True, env=environment)
    catalog: dict[str, Any] = json.loads(found.stdout)
    return catalog


def _catalog(account_name: str, streams: tuple[str, ...]) -> bytes:
    catalog = json.loads(json.dumps(discovered(account_name)))
    for entry in catalog["streams"]:
        entry["selected"] = entry["tap_stream_id"] in streams
        for one in entry["metadata"]:
            if not one["breadcrumb"]:
                one["metadata"]["selected"] = entry["selected"]
    return json.dumps(catalog).encode()


def _execute(attack: Attack, command: list[str], environment: Mapping[str, str]) -> Ended:
    own_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=clean_environment({"NO_PROXY": "", **environment}),
            preexec_fn=functools.partial(_restrict, attack),  # noqa: PLW1509 (no thread has a lock)
        )
        counter = _Counter(process.stdout)
        polled, status, used, is_hanging = 0, 0, None, False
        while used is None:
            polled = max(polled, _peak_kib(process.pid))
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            used = usage if pid else None
            if time.monotonic() - began > attack.seconds * _HANG_FACTOR:
                is_hanging = True
                process.kill()
            time.sleep(_POLL_S)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        rows = counter.result()
        errors.seek(0)
        text = errors.read().decode("utf-8", "surrogateescape")
    # The figure of a child begins with that of its parent.
    peak = max(polled, used.ru_maxrss if used.ru_maxrss > own_peak else 0)
    problems = ["it did not end"] if is_hanging else []
    return Ended(process.returncode, seconds, peak / 1024, rows, text, problems)


def _restrict(attack: Attack) -> None:
    for name, limit in attack.limits.items():
        resource.setrlimit(getattr(resource, name), (limit, limit))
    for descriptor in attack.closed:
        os.close(descriptor)


def _peak_kib(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0


class _Counter:
    """Counts the records on the output of a process, in a thread."""

    def __init__(self, output: object) -> None:
        self._output = cast("BufferedReader", output)
        self._rows = 0
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        tail, mark = b"", b'"type":"RECORD"'
        while piece := self._output.read1(1 << 20):
            block = tail + piece
            self._rows += block.count(mark)
            tail = block[-len(mark) + 1 :]

    def result(self) -> int:
        """Return the number of records, at the end of the output."""
        self._thread.join(30)
        self._output.close()
        return self._rows


def _problems(attack: Attack, account: Account, ended: Ended) -> list[str]:
    return [*_wrong_ends(attack, ended), *_unsafe_output(account, ended), *_costs(attack, ended)]


def _wrong_ends(attack: Attack, ended: Ended) -> Iterator[str]:
    if ended.code != int(not attack.is_survived):
        yield f"exit code {ended.code}"
    if attack.rows is not None and ended.rows != attack.rows:
        yield f"{ended.rows} records instead of {attack.rows}"
    # A window that fails has a line of its own, before the one that ends the run.
    errors = ended.errors()
    is_summed_up = bool(errors) and errors[-1].startswith("All other streams are complete")
    # So has each problem of a file, and the last line has them all.
    is_summed_up |= bool(attack.files) and " problems: " in ended.stderr
    if not attack.is_survived and len(errors) != 1 and not is_summed_up and 2 not in attack.closed:
        yield f"{len(errors)} error lines"
    if attack.says and attack.says not in ended.stderr:
        yield f"no line says {attack.says!r}"


def _unsafe_output(account: Account, ended: Ended) -> Iterator[str]:
    text = ended.stderr
    if "Traceback" in text or "Exception ignored" in text:
        yield "a traceback"
    if not all(character.isprintable() or character == "\n" for character in set(text)):
        yield "a control character"
    if any(len(line) > MAX_LINE for line in text.splitlines()):
        yield "a line that is too long"
    if any(form in text for secret in account.secrets for form in forms(secret)):
        yield "a secret"


def _costs(attack: Attack, ended: Ended) -> Iterator[str]:
    if ended.peak_mib > MAX_PEAK_MIB:
        yield f"{ended.peak_mib:.0f} MiB"
    if ended.seconds > attack.seconds:
        yield f"{ended.seconds:.0f} s"
