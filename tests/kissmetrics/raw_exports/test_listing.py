"""Lists of files in S3: any text is read in linear time."""

from __future__ import annotations

import time

import pytest
from tap_kissmetrics.raw_exports.listing import parse_listing

START, END = b"<IsTruncated>false</IsTruncated>", b"</ListBucketResult>"


@pytest.mark.parametrize(
    "piece", ["<Contents>", "</Contents>", "<Key>", "<Contents><Key>", "<IsTruncated> ", "&#9"]
)
def test_time_for_a_page_is_linear(piece: str) -> None:
    body = START + (piece * 200_000).encode() + END
    began = time.process_time()
    assert parse_listing(body, "x") == ([], None)
    assert time.process_time() - began < 5


def test_reference_of_many_digits_stays() -> None:
    key = f"<Key>a&#{'9' * 5000};&amp;</Key>"
    body = START + f"<Contents>{key}<Size>5</Size></Contents>".encode() + END
    assert parse_listing(body, "x").files == [(f"a&#{'9' * 5000};&", (5, ""))]
