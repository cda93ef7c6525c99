"""The inputs of a target: its corpus, changed and mixed with tokens and random bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path

from hypothesis import strategies as st

CORPUS = Path(__file__).parent / "corpus"
TOKENS = [
    *(b"[", b"]", b"{", b"}", b",", b":", b'"', b"\\", b"\n", b"\r\n", b"\0", b" ", b"\xff"),
    *(rb"\ud800", rb"\udc00", rb"\u0000", b"\xef\xbb\xbf", b"\xf0\x9f\x98\x80", b"\xe2\x80\xae"),
    *(b"null", b"true", b"NaN", b"1e400", b"-0", b"9" * 30, b"../", b"%2e%2e", b"%", b"//", b"#"),
    *(b"?", b"@", b";", b"http://", b"https://", b"[::1]", b"0x7f.1", b"&amp;", b"/core/"),
    *(b'"links"', b'"href"', b'"rel"', b'"next"', b'"templated"', b'"pagination"', b'"total"'),
    *(b'"data"', b'"rows"', b'"columns"', b'"id"', b'"completed"', b'"error"', b'"result"'),
    *(b'"jobInfo"', b'"workflowId"', b'"runId"', b'"statusUrl"', b'"downloadUrl"', b'"detail"'),
    *(b'"runnerState"', b'"totalCount"', b'"message"', b'"bookmarks"', b'"partitions"'),
    *(b'"context"', b'"streams"', b'"metadata"', b'"breadcrumb"', b'"schema"', b'"value"'),
    *(b"utf-16", b"charset=", b"text/csv", b"Mon, 01 Jan 2024 00:00:00 GMT", b"+9999"),
    *(b"f9/zz+ed=&%s-of-nobody", b"f9%2Fzz%2Bed%3D%26%25s-of-nobody", b"\x1b[2J"),
]


def corpus_of(target: str) -> list[Path]:
    """Return the files of a target, in a stable order."""
    return sorted((CORPUS / target).glob("*"))


def add_to_corpus(target: str, data: bytes) -> Path:
    """Store an input; return its file."""
    path = CORPUS / target / hashlib.sha256(data).hexdigest()[:12]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def inputs_of(target: str) -> st.SearchStrategy[bytes]:
    """Return random inputs of a target: of tokens, or an input of the corpus with changes."""
    parts = st.sampled_from(TOKENS) | st.binary(max_size=4)
    mixed = st.lists(parts, max_size=25).map(b"".join)
    known = [path.read_bytes() for path in corpus_of(target)]
    if not known:
        return mixed
    place = st.floats(0, 1)
    return mixed | st.builds(_changed, st.sampled_from(known), place, place, mixed)


def _changed(data: bytes, begin: float, end: float, new: bytes) -> bytes:
    """Return an input with new bytes in place of a part of it."""
    first, last = sorted([int(begin * len(data)), int(end * len(data))])
    return data[:first] + new + data[last:]
