"""Exports in S3: credentials, requests, lists of files, and what errors say."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import pytest
import requests
from sandbox.kissmetrics.raw import RawExport, RawSizes
from sandbox.kissmetrics.raw.s3 import KEY, SECRET, Served, serving
from singer_sdk.exceptions import ConfigValidationError
from tap_kissmetrics.raw_exports import content, s3
from tap_kissmetrics.raw_exports.credentials import Aws, address_of
from tap_kissmetrics.raw_exports.listing import parse_listing
from tap_kissmetrics.tap import TapKissmetrics
from tap_kit import Request, SyncFailed

from tests.processes import collected
from tests.secrets_of_taps.forms import found_in
from tests.singer import Output

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from requests_mock import Mocker

MADE = RawExport(RawSizes(files=4, lines=30))
PREFIX = "some/pre fix+\u00e9/"
URL = "https://exports.s3.us-east-1.amazonaws.com"
INDEX = "filename,min_timestamp,max_timestamp\nrevisions/1.json,5,6\n"
LIST = """<?xml version="1.0" encoding="UTF-8"?><ListBucketResult>
<IsTruncated>false</IsTruncated><Contents><Key>revisions/1.json</Key><Size>43</Size>
<ETag>&quot;e1&quot;</ETag></Contents></ListBucketResult>"""
EVENT = b'{"_n":"e","_p":"a","_t":1362920827,"x":1}\n\n'


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Remove what this machine has of AWS."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving({"exports": MADE}, PREFIX) as store:
        yield store


def tap(url: str = f"s3://exports/{PREFIX}", **settings: Any) -> TapKissmetrics:
    keys = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET}
    config = {"raw_exports": [{"product": "shop", "url": url}], **keys, **settings}
    return TapKissmetrics(config={k: v for k, v in config.items() if v is not None})


def sync(*, url: str = f"s3://exports/{PREFIX}", **settings: Any) -> Output:
    with collected() as written:
        tap(url, **settings).execute()
    return Output(written.getvalue().decode())


def failure(**settings: Any) -> str:
    with collected(), pytest.raises((ConfigValidationError, SyncFailed)) as caught:
        tap(**settings).execute()
    text = str(caught.value)
    assert SECRET not in text
    assert "\n" not in text
    return text


def page(*contents: str, more: str = "<IsTruncated>false</IsTruncated>") -> bytes:
    objects = "".join(f"<Contents>{one}</Contents>" for one in contents)
    return f"<ListBucketResult>{more}{objects}</ListBucketResult>".encode()


# With moto


def test_all_lines_are_read_from_s3(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "FIRST_BYTES", 1000)
    monkeypatch.setattr(content, "FURTHER_BYTES", 700)
    output = sync(aws_endpoint_url=served.url)
    counts = MADE.total()
    assert len(output.rows("raw_events")) == counts["event"]
    assert sum(row["line_count"] for row in output.rows("raw_files")) == counts["lines"]
    assert output.rows("raw_rejects") == sync(aws_endpoint_url=served.url).rows("raw_rejects")


def test_list_of_files_has_pages(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    send = Request

    def small_pages(path: str, params: Any = None, **more: Any) -> Any:
        paged = {**params, "max-keys": "2"} if params and "list-type" in params else params or {}
        return send(path, paged, **more)

    monkeypatch.setattr(s3, "Request", small_pages)
    assert len(sync(aws_endpoint_url=served.url).rows("raw_files")) == 4
    monkeypatch.setattr(s3, "MAX_PAGES", 1)
    assert "the list of its files has no end" in failure(aws_endpoint_url=served.url)


def test_environment_and_profile_have_credentials(
    served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    none: dict[str, Any] = {"aws_access_key_id": None, "aws_secret_access_key": None}
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", served.url)
    assert failure(**none).startswith("AWS credentials are missing: set aws_access_key_id")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-environment")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-environment")
    assert len(sync(**none).rows("raw_files")) == 4
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_PROFILE", "team")
    assert failure(**none) == (
        "AWS credentials cannot be used: The config profile (team) could not be found"
    )
    keys = "aws_access_key_id = of-profile\naws_secret_access_key = secret-of-profile\n"
    (tmp_path / "credentials").write_text(f"[team]\n{keys}", encoding="utf-8")
    (tmp_path / "config").write_text("[profile team]\nregion = eu-west-1\n", encoding="utf-8")
    assert Aws({}).region == "eu-west-1"
    assert Aws({}).credentials().access_key == "of-profile"
    assert len(sync(**none).rows("raw_files")) == 4


def test_bucket_and_index_must_exist(served: Served) -> None:
    problem = failure(url="s3://nobody", aws_endpoint_url=served.url)
    assert problem == "raw_exports[0].url names no bucket: s3://nobody"
    problem = failure(url="s3://exports/x", aws_endpoint_url=served.url)
    assert problem.endswith("but index.csv is missing: s3://exports/x")


def test_list_that_repeats_a_page_ends(requests_mock: Mocker) -> None:
    more = "<IsTruncated>true</IsTruncated><NextContinuationToken>a</NextContinuationToken>"
    answer(requests_mock, {"": {"content": page(more=more)}})
    assert "the list of its files has no end" in failure(url="s3://exports")
    assert sum("list-type" in one.url for one in requests_mock.request_history) == 2


def test_list_whose_pages_alternate_ends(requests_mock: Mocker) -> None:
    pages = [{"content": page(more=MORE.format(token))} for token in "abababab"]
    answer(requests_mock)
    requests_mock.get(f"{URL}/", pages)
    assert "the list of its files has no end" in failure(url="s3://exports")
    assert sum("list-type" in one.url for one in requests_mock.request_history) == 3


def test_list_of_files_has_a_limit(requests_mock: Mocker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "MAX_FILES", 0)
    answer(requests_mock)
    assert "s3://exports: it has more than 0 files" in failure(url="s3://exports")


def test_other_objects_are_ignored(requests_mock: Mocker) -> None:
    other = "<Contents><Key>revisions/x.txt</Key><Size>1</Size></Contents></ListBucketResult>"
    answer(requests_mock, {"": {"text": LIST.replace("</ListBucketResult>", other)}})
    assert len(sync(url="s3://exports").rows("raw_files")) == 1


def test_profile_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "team")
    role = "[profile team]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = nobody\n"
    (tmp_path / "config").write_text(role, encoding="utf-8")
    problem = failure(url="s3://exports", aws_access_key_id=None, aws_secret_access_key=None)
    assert problem.startswith("AWS credentials cannot be used: ")
    assert "nobody" in problem


def test_missing_file_is_named(served: Served) -> None:
    file = f"revisions/{MADE.revisions[1]}.json"
    served.store.create_bucket("cut")
    for name, pieces in MADE.all_files():
        if name != file:
            served.store.put("cut", name, b"".join(pieces))
    problem = failure(url="s3://cut", aws_endpoint_url=served.url)
    assert f"these failed: raw data of shop, {file}" in problem


# With canned responses


def answer(mock: Mocker, parts: Any = None, url: str = URL) -> None:
    """Register the responses of a bucket with one file; ``parts`` replaces some."""
    responses: dict[str, dict[str, Any]] = {
        "index.csv": {"text": INDEX},
        "status.csv": {"text": "exported_revisions\n1\n"},
        "revisions/1.json": {"content": EVENT[:43]},
        "": {"text": LIST},
        **(parts or {}),
    }
    for path, response in responses.items():
        mock.get(f"{url}/{path}", **response)


def error(code: str, status: int, **headers: str) -> dict[str, Any]:
    text = f'<?xml version="1.0"?>\n<Error><Code>{code}</Code><Message>x</Message></Error>'
    return {"text": text, "status_code": status, "headers": headers}


def test_requests_are_signed_and_bounded(requests_mock: Mocker) -> None:
    answer(requests_mock)
    assert len(sync(url="s3://exports").rows("raw_events")) == 1
    part = next(one for one in requests_mock.request_history if "1.json" in one.url)
    assert part.headers["Range"] == "bytes=0-42"
    assert part.headers["If-Match"] == '"e1"'
    assert part.headers["Accept-Encoding"] == "identity"
    authorization = part.headers["Authorization"]
    assert authorization.startswith(f"AWS4-HMAC-SHA256 Credential={KEY}/")
    assert "SignedHeaders=host;if-match;range;x-amz-content-sha256;x-amz-date" in authorization


@pytest.mark.parametrize(
    ("place", "response", "problem"),
    [
        ("index.csv", error("SignatureDoesNotMatch", 403), "AWS credentials were rejected (Signat"),
        ("index.csv", error("ExpiredToken", 400), "AWS credentials were rejected (ExpiredToken)"),
        ("", error("AccessDenied", 403), "raw_exports[0].url cannot be read (AccessDenied); it"),
        ("index.csv", {"status_code": 302}, "aws_endpoint_url redirects elsewhere (HTTP 302)"),
        ("index.csv", error("InvalidRequest", 400), "s3://exports: GET /index.csv: InvalidRequest"),
        ("index.csv", {"text": "x" * 90, "status_code": 405}, "s3://exports: GET /index.csv: xxx"),
        ("", {"text": "", "status_code": 404}, "raw_exports[0].url names no bucket: s3://exports"),
        ("", {"text": "<html>"}, "s3://exports: the response is not a list of objects in S3"),
        ("revisions/1.json", error("PreconditionFailed", 412), "these failed: raw data of shop"),
        ("revisions/1.json", error("InvalidRange", 416), "these failed: raw data of shop"),
        ("revisions/1.json", error("InvalidObjectState", 403), "these failed: raw data of shop"),
        ("revisions/1.json", {"content": b"{}\n"}, "/revisions/1.json: the response has 3 of 43 b"),
        ("revisions/1.json", {"headers": {"ETag": '"e2"'}}, "these failed: raw data of shop"),
        ("index.csv", {"text": "<html>"}, "GET /index.csv: the response is not CSV"),
        ("index.csv", {"text": ""}, "GET /index.csv: the response is not CSV"),
        ("revisions/1.json", {"content": b"x" * 44}, "the response is longer than 43 bytes"),
    ],
)
def test_error_is_one_line_with_the_place(
    place: str, response: dict[str, Any], problem: str, requests_mock: Mocker
) -> None:
    answer(requests_mock, {place: response})
    assert problem in failure(url="s3://exports")


def test_empty_file_is_not_requested(requests_mock: Mocker) -> None:
    answer(requests_mock, {"": {"text": LIST.replace("43", "0")}, "revisions/1.json": {}})
    (row,) = sync(url="s3://exports").rows("raw_files")
    assert row["line_count"] == 0
    assert not any("1.json" in one.url for one in requests_mock.request_history)


def test_region_of_the_bucket_is_used(requests_mock: Mocker) -> None:
    elsewhere = error("PermanentRedirect", 301, **{"x-amz-bucket-region": "eu-west-1"})
    answer(requests_mock, {"index.csv": elsewhere})
    answer(requests_mock, url="https://exports.s3.eu-west-1.amazonaws.com")
    assert len(sync(url="s3://exports").rows("raw_events")) == 1
    assert "/eu-west-1/s3/" in requests_mock.request_history[-1].headers["Authorization"]


@pytest.mark.parametrize(
    ("region", "problem"),
    [
        ("evil.example/#", "aws_endpoint_url redirects elsewhere (HTTP 301)"),
        ("eu-west-1", "raw_exports[0].url leads to a bucket that is in no region"),
    ],
)
def test_server_cannot_send_the_tap_elsewhere(
    region: str, problem: str, requests_mock: Mocker
) -> None:
    elsewhere = error("PermanentRedirect", 301, **{"x-amz-bucket-region": region})
    back = error("PermanentRedirect", 301, **{"x-amz-bucket-region": "us-east-1"})
    answer(requests_mock, {"index.csv": elsewhere})
    answer(requests_mock, {"index.csv": back}, "https://exports.s3.eu-west-1.amazonaws.com")
    assert problem in failure(url="s3://exports")
    assert {one.hostname.partition(".")[2] for one in requests_mock.request_history} <= {
        "s3.us-east-1.amazonaws.com",
        "s3.eu-west-1.amazonaws.com",
    }


def test_redirect_is_not_followed(requests_mock: Mocker) -> None:
    found = {"status_code": 307, "headers": {"Location": "https://evil.example/x"}}
    answer(requests_mock, {"index.csv": found})
    assert "aws_endpoint_url redirects elsewhere (HTTP 307)" in failure(url="s3://exports")
    assert len(requests_mock.request_history) == 1


@pytest.mark.parametrize(
    ("bucket", "region", "address"),
    [
        ("exports", "eu-west-1", "https://exports.s3.eu-west-1.amazonaws.com"),
        ("exports", "cn-north-1", "https://exports.s3.cn-north-1.amazonaws.com.cn"),
        ("a.b", "eu-west-1", "https://s3.eu-west-1.amazonaws.com/a.b"),
        ("Exports", "eu-west-1", "https://s3.eu-west-1.amazonaws.com/Exports"),
    ],
)
def test_address_of_a_bucket(bucket: str, region: str, address: str) -> None:
    assert address_of(Aws({}), bucket, region) == address
    store = Aws({"aws_endpoint_url": "https://store.example/"})
    assert address_of(store, bucket, region) == f"https://store.example/{bucket}"


def test_endpoint_of_the_environment_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://store.example")
    assert failure(url="s3://exports").startswith("AWS_ENDPOINT_URL must begin with https://")


def test_library_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    assert failure(url="s3://exports") == (
        "raw_exports with s3:// needs the extra s3: pip install 'tap-kissmetrics[s3]'"
    )


# Lists


def test_page_of_a_list_is_parsed() -> None:
    body = page(
        "<Key>a%2Bb+c%C3%A9</Key><ETag>&#34;x&#34;</ETag>\n<Size> 5 </Size>",
        "<Size>0</Size><Key>k</Key>",
        more="<IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b</NextContinuationToken>",
    )
    found = parse_listing(body, "x")
    assert found == ([("a+b c\u00e9", (5, "x")), ("k", (0, ""))], "a&b")
    assert parse_listing(page(), "x") == ([], None)


MORE = "<IsTruncated>true</IsTruncated><NextContinuationToken>{}</NextContinuationToken>"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        page(more="<IsTruncated>true</IsTruncated>"),
        page("<Key>k</Key><Size>5</Size>")[:-30],
        page("<Key>k</Key>"),
        page("<Size>5</Size>"),
        page("<Key>k</Key><Size>-5</Size>"),
        page("<Key>k</Key><Size>5</Size><ETag>a&#13;&#10;b</ETag>"),
        page("<Key>k</Key><Size>5</Size><ETag>a b</ETag>"),
        page("<Key>k</Key><Size>5</Size><ETag>\u4e00</ETag>"),
        page("<Key>k</Key><Size>5</Size><ETag>" + "e" * 101 + "</ETag>"),
        page(more=MORE.format("t" * 8001)),
    ],
    ids=lambda body: repr(body[16:90]),
)
def test_page_that_is_none_is_an_error(body: bytes) -> None:
    with pytest.raises(SyncFailed):
        parse_listing(body, "x")


# Faults and secrets, for each kind of request

PLACES = ("index.csv", "status.csv", "", "revisions/1.json")


FAULTS: tuple[dict[str, Any], ...] = (
    {"status_code": 503},
    {"exc": requests.ConnectTimeout},
    {"status_code": 429, "headers": {"Retry-After": "0"}},
    {"exc": requests.ConnectionError},
)
REFUSALS = (200, 301, 400, 401, 403, 404, 405, 412, 416, 422, 206, 503)


@pytest.mark.parametrize(("place", "fault"), [*zip(PLACES, FAULTS, strict=True)])
def test_fault_is_retried(place: str, fault: dict[str, Any], requests_mock: Mocker) -> None:
    answer(requests_mock)
    good = {"index.csv": INDEX, "status.csv": "exported_revisions\n1\n", "": LIST}
    content: Any = good[place].encode() if place in good else EVENT[:43]
    requests_mock.get(f"{URL}/{place}", [fault, fault, {"content": content}])
    assert len(sync(url="s3://exports").rows("raw_events")) == 1


@pytest.mark.parametrize(
    ("place", "status"),
    [(PLACES[number % 4], status) for number, status in enumerate(REFUSALS)]
    + [(PLACES[(number + 2) % 4], status) for number, status in enumerate(REFUSALS)],
)
def test_no_secret_is_written(
    place: str, status: int, requests_mock: Mocker, caplog: pytest.LogCaptureFixture
) -> None:
    """The server repeats all that it received, and the secret too."""

    def echo(request: Any, context: Any) -> str:
        context.status_code = status
        return f"<Error><Code>{SECRET}</Code></Error> {SECRET} {dict(request.headers)}"

    answer(requests_mock, {place: {"text": echo}})
    caplog.set_level(logging.DEBUG)
    with collected() as written:
        try:
            tap("s3://exports").execute()
            problem = ""
        except (ConfigValidationError, SyncFailed) as error:
            problem = str(error)
    texts = [caplog.text, problem]
    if status not in {200, 206}:  # or the text is the data
        texts.append(written.getvalue().decode())
    for text in texts:
        assert found_in(text, [SECRET, KEY]) == set()
