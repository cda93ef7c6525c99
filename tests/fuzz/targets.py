"""The functions at the boundary, each with what must hold for any input.

A target takes bytes. It raises an ``AssertionError``, or an exception that is not one of the kit,
if something does not hold.
"""

from __future__ import annotations

import contextlib
import csv
import html
import io
import json
import logging
import math
import re
import tempfile
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

import msgspec
from singer_sdk.exceptions import ConfigValidationError
from tap_khoros_analytics.client import job_path
from tap_khoros_analytics.envelopes import Envelope, list_problem, reason_in
from tap_kindmetrics import client as kindmetrics
from tap_kissmetrics.lists.envelope import with_envelope
from tap_kissmetrics.lists.pagination import LinkPaginator, first_page, page_of
from tap_kissmetrics.v3.queries import page_in, results_problem
from tap_kit import CsvRows, JsonRows, conversion_problem, parse_json, parse_rows
from tap_kit.errors import KitError
from tap_kit.net.charsets import as_utf8, declared_charset
from tap_kit.net.hosts import api_path, host_kind, quoted_path, redirect_target
from tap_kit.net.http import Response
from tap_kit.net.logs import MAX_TEXT_LENGTH, safe_text
from tap_kit.net.secrets import SECRETS
from tap_kit.net.wire import retry_after_s
from tap_kit.run.catalogs import load_catalog
from tap_kit.run.config import load_config
from tap_kit.run.states import load_state

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SECRET = "f9/zz+ed=&%s-of-nobody"  # noqa: S105
BASE, PREFIXES = "https://api.example", ("/core/", "/v2/")
_LOGGER = logging.getLogger(__name__)
_LONGEST_LINE = 10_000


def ends_in_one_line(error: BaseException) -> None:
    """Check that an error of the kit is one line of a bounded length."""
    text = str(error)
    assert "\n" not in text, text
    assert len(text) < _LONGEST_LINE, len(text)


def is_clean(value: Any) -> bool:
    """Return whether all texts in a JSON value are valid Unicode, and all numbers finite."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode() == value
    if isinstance(value, dict):
        return all(map(is_clean, [*value.keys(), *value.values()]))
    if isinstance(value, list):
        return all(map(is_clean, value))
    return not isinstance(value, float) or math.isfinite(value)


def json_value(data: bytes) -> Any:
    """Return the value of a body; None for one that is no JSON."""
    try:
        return parse_json(data, "GET /x")
    except KitError as error:
        ends_in_one_line(error)
        return None


def body(data: bytes) -> None:
    assert is_clean(json_value(data))


def _pieces(data: bytes) -> list[bytes]:
    """Return a body cut into pieces of the sizes that its first bytes state."""
    sizes = [1 + one % 16 for one in data[:4]] or [1]
    pieces, place, count = [], 0, 0
    while place < len(data):
        pieces.append(data[place : place + sizes[count % len(sizes)]])
        place, count = place + len(pieces[-1]), count + 1
    return pieces


def _rows(parser: Any, pieces: Sequence[bytes]) -> list[Any] | str:
    try:
        return [row for rows in parse_rows(pieces, parser) for row in rows]
    except KitError as error:
        ends_in_one_line(error)
        return "error"


def json_rows(data: bytes) -> None:
    decode = msgspec.json.Decoder(list[dict[str, Any]]).decode
    rows = _rows(JsonRows(decode, "x"), _pieces(data))
    assert _rows(JsonRows(decode, "x"), [data]) == rows
    with contextlib.suppress(ValueError, RecursionError):
        value = json.loads(data)
        if isinstance(value, list) and all(isinstance(one, dict) for one in value):
            is_exact = is_clean(value) and not re.search(rb"[0-9]{18}", data)
            assert not is_exact or rows == value


def csv_rows(data: bytes) -> None:
    rows = _rows(CsvRows("x"), _pieces(data))
    assert _rows(CsvRows("x"), [data]) == rows
    if isinstance(rows, list) and rows and b"\r" not in data and b"\0" not in data:
        text = data.removeprefix(b"\xef\xbb\xbf").decode(errors="replace")
        every = list(filter(None, csv.reader(io.StringIO(text, newline=""))))
        assert rows == every[1:]


def retry_after(data: bytes) -> None:
    wait = retry_after_s(data.decode("latin-1"))
    assert wait is None or 0 <= wait < math.inf


def link(data: bytes) -> None:
    try:
        path = api_path(BASE, data.decode("utf-8", "replace"), PREFIXES)
    except KitError as error:
        ends_in_one_line(error)
        return
    assert path.startswith(PREFIXES)
    assert ".." not in re.split(r"[/\\]", unquote(path.partition("?")[0]))


def location(data: bytes) -> None:
    target = redirect_target(f"{BASE}/core/x", data.decode("latin-1"))
    if target is not None:
        parts = urlsplit(target)
        assert parts.username is None
        assert parts.scheme == "https" or host_kind(target) == "loopback"
        assert target.isascii()


def path_of_ids(data: bytes) -> None:
    ids = data.decode("utf-8", "surrogateescape").split(",", 1)
    try:
        path = quoted_path("/a/{}/b" + "/{}" * (len(ids) - 1), *ids)
    except KitError as error:
        ends_in_one_line(error)
        return
    _, _, first, _, *rest = path.split("/")
    assert [unquote(first), *map(unquote, rest)] == ids
    assert path.isascii()


def log_text(data: bytes) -> None:
    SECRETS.add(SECRET)
    text = safe_text(data.decode("utf-8", "replace"))
    assert text.isprintable()
    assert len(text) < 11 * MAX_TEXT_LENGTH
    spelled = {
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        html.escape(SECRET),
    }
    assert not [one for one in spelled if one in text]


def charset(data: bytes) -> None:
    header, _, content = data.partition(b"\n")
    name = declared_charset({"Content-Type": header.decode("latin-1")})
    if name is not None:
        b"".join(as_utf8(_pieces(content), name)).decode()


def _file(load: Callable[[str], object], data: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        with contextlib.suppress(ConfigValidationError):
            load(file.name)


def state(data: bytes) -> None:
    _file(lambda path: load_state(path, _LOGGER), data)


def catalog(data: bytes) -> None:
    _file(load_catalog, data)


def config(data: bytes) -> None:
    _file(lambda path: load_config([path]), data)


def khoros_job(data: bytes) -> None:
    value = json_value(data)
    if not isinstance(value, dict):
        return
    list_problem(value)
    if problem := conversion_problem(value, Envelope):
        assert len(problem) < _LONGEST_LINE
        return
    envelope = msgspec.convert(value, Envelope)
    envelope.start_problem()
    job = envelope.job()
    if not isinstance(job, str):
        assert job.info.token is None or isinstance(job.info.token, str)
        assert job.state.rows is None or isinstance(job.state.rows, int)
        with contextlib.suppress(KitError):
            assert not job.info.ids or job_path(job.info.ids, "status").count("/") == 7


def khoros_reason(data: bytes) -> None:
    reason = reason_in(data.decode("utf-8", "replace"))
    assert len(reason) <= 200
    assert "\n" not in reason


def kissmetrics_page(data: bytes) -> None:
    value = json_value(data)
    response = Response(200, {"Link": data[:200].decode("latin-1")}, value)
    if not isinstance(value, list | dict) or with_envelope()(response):
        return
    page = page_of(response)
    paginator = LinkPaginator(
        first_page("/core/x", 10), lambda href: api_path(BASE, href, PREFIXES)
    )
    with contextlib.suppress(KitError):
        list(zip(paginator.rest(page.info) or (), range(3), strict=False))
        paginator.advance(page.info)


def kissmetrics_result(data: bytes) -> None:
    value = json_value(data)
    if isinstance(value, dict):
        response = Response(200, {}, value)
        if results_problem(response) is None and value.get("completed"):
            page_in(response)


def kindmetrics_domains(data: bytes) -> None:
    value = json_value(data)
    if isinstance(value, list):
        kindmetrics._domains_problem(Response(200, {}, value))  # noqa: SLF001


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        *(body, json_rows, csv_rows, retry_after, link, location, path_of_ids, log_text, charset),
        *(state, catalog, config, khoros_job, khoros_reason, kissmetrics_page),
        *(kissmetrics_result, kindmetrics_domains),
    )
}
