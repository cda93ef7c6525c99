"""The raw data export: its files, the commands that write and serve it, and its S3 server."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from sandbox.cli import main
from sandbox.faults import Fault
from sandbox.kissmetrics.raw import RawExport, RawSizes
from sandbox.kissmetrics.raw.s3 import KEY, REGION, Served, serving

from tests.processes import clean_environment
from tests.singer import Output
from tools.workspace import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

BIN = Path(sys.executable).parent
EXPORT = RawExport(RawSizes(files=3, lines=20))
SIGNED = {
    "Authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/20260101/{REGION}/s3/aws4_request, "
    "SignedHeaders=host, Signature=none"
}


@pytest.fixture(scope="module")
def stored() -> Iterator[Served]:
    with serving({"served": EXPORT}, "a b/") as served:
        yield served


def get(served: Served, path: str, **headers: str) -> requests.Response:
    return requests.get(f"{served.url}/{path}", headers={**SIGNED, **headers}, timeout=10)


def written(folder: Path, *options: str) -> int:
    return main(["kissmetrics-export", str(folder), *options])


def content(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_command_writes_the_export_of_its_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert written(tmp_path / "new", "--files", "3", "--lines", "20") == 0
    assert content(tmp_path / "new") == {n: b"".join(p) for n, p in EXPORT.all_files()}
    total = EXPORT.total()
    assert capsys.readouterr().out == (
        f"{tmp_path}/new: 3 files, {total['lines']} lines: {total['event']} events, "
        f"{total['properties']} properties, {total['alias']} aliases, {total['reject']} rejects, "
        f"{total['mended']} to be mended\n"
    )


def test_options_set_anomalies_and_days(tmp_path: Path) -> None:
    none = {"--rejects", "--octal-utf-8", "--octal-windows-1252", "--backslashes", "--raw-bytes"}
    options = [part for name in sorted(none) for part in (name, "0")]
    assert written(tmp_path / "e", "--start", "2025-06-01", "--aliases", "1000", *options) == 0
    files = content(tmp_path / "e")
    assert b"2025-06-01 00:00 GMT" in files["index.csv"]
    lines = b"\n".join(body for name, body in files.items() if "revisions" in name).split(b"\n")
    assert all(b'"_p2"' in line for line in lines if line)


def test_export_grows_and_other_folders_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "grown"
    assert written(folder, "--files", "2", "--lines", "20") == 0
    before = content(folder)
    assert written(folder, "--files", "3", "--lines", "20") == 0
    assert {name: content(folder)[name] for name in before if "csv" not in name}.items() <= (
        before.items()
    )
    capsys.readouterr()
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for used in (tmp_path, tmp_path / "file"):
        assert written(used) == 1
        assert capsys.readouterr().err == (
            f"sandbox: {used} has other files; choose a new folder\n"
        )
    assert written(folder, "--seed", "b", "--start", "2025-01-01") == 1


def test_server_needs_its_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "moto.moto_server.werkzeug_app", None)
    assert main(["kissmetrics-s3"]) == 1
    assert "needs moto: install the extra s3" in capsys.readouterr().err


def test_server_has_ranges_and_heads(stored: Served) -> None:
    path = f"served/a%20b/revisions/{EXPORT.revisions[0]}.json"
    whole = EXPORT.file(EXPORT.revisions[0])
    accepts = {"Accept-Encoding": "gzip"}
    assert get(stored, path, **accepts).content == whole
    part = get(stored, path, Range="bytes=5-9", **accepts)
    assert (part.status_code, part.content) == (206, whole[5:10])
    head = requests.head(f"{stored.url}/{path}", headers=SIGNED, timeout=10)
    assert head.headers["Content-Length"] == str(len(whole))
    assert head.headers["ETag"] == part.headers["ETag"]
    assert get(stored, path, **{"If-Match": '"other"'}).status_code == 412


def test_server_refuses_an_object_without_a_bucket(stored: Served) -> None:
    with pytest.raises(ValueError, match="the store refuses /nobody/x: HTTP 404"):
        stored.store.put("nobody", "x", b"")


def test_faults_are_those_of_s3(stored: Served) -> None:
    faults = ("503 retry_after=3", "403", "418", "500")
    codes = ("SlowDown", "AccessDenied", "InvalidRequest", "InternalError")
    for text, code in zip(faults, codes, strict=True):
        status, _, pause = text.partition(" retry_after=")
        stored.store.faults[:] = [
            Fault(status=int(status), retry_after=int(pause) if pause else None)
        ]
        response = get(stored, "served/a%20b/index.csv")
        assert (str(response.status_code), response.headers.get("Retry-After", "")) == (
            status,
            pause,
        )
        assert f"<Code>{code}</Code>" in response.text
    stored.store.faults[:] = [Fault("cut_body", path="index")]
    with pytest.raises(requests.RequestException):
        get(stored, "served/a%20b/index.csv")
    stored.store.faults.clear()
    assert stored.store.log.requests[-1].path == "/served/a%20b/index.csv"


# By the words of the README


def block(name: str) -> list[str]:
    """Return the commands of a block in the README of the tap."""
    text = (ROOT / "tap-kissmetrics" / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- {name} -->\n```\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1].splitlines()


@pytest.mark.process
@pytest.mark.parametrize("name", ["try a folder", "try S3"])
def test_readme_reads_every_line_without_an_account(name: str, tmp_path: Path) -> None:
    commands = block(name)
    assert len(commands) == 3
    script = "\n".join(commands).replace(".venv/bin/", f"{BIN}/")
    # The server of a script without a terminal goes on; a free port instead of a fixed one.
    with ExitStack() as stack:
        if commands[0].endswith("&"):
            script = script.partition("\n")[2].replace("http://127.0.0.1:8801", _served(stack))
        done = subprocess.run(
            ["bash", "-euc", script],  # noqa: S607
            cwd=tmp_path,
            env=clean_environment({"AWS_EC2_METADATA_DISABLED": "true"}),
            capture_output=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr[-2000:]
    text = done.stdout.decode()
    output = Output(text[text.index("{") :])
    counts = RawExport(RawSizes(files=40, lines=500)).total()
    assert len(output.rows("raw_events")) == counts["event"]
    assert len(output.rows("raw_rejects")) == counts["reject"]
    assert sum(row["line_count"] for row in output.rows("raw_files")) == counts["lines"]


def _served(stack: ExitStack) -> str:
    """Start the server of the README on a free port; return its address."""
    words = block("try S3")[0].removesuffix(" &").replace("8801", "0").split()
    command = [str(BIN / Path(words[0]).name), *words[1:]]
    server = stack.enter_context(
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    )
    stack.callback(server.terminate)
    assert server.stdout is not None
    return server.stdout.readline().strip()
