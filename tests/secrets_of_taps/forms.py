"""The forms in which a text can contain a secret."""

from __future__ import annotations

import base64
import json
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

HALF = 10  # characters; a part of a secret is a leak too


@cache
def forms(secret: str) -> frozenset[str]:
    """Return a secret as it is, its two ends, and it in a URL, JSON, Python, base64 and hex."""
    return frozenset(form for form in _forms(secret) if len(form) >= HALF)


def _forms(secret: str) -> Iterator[str]:
    yield from (secret, secret[:HALF], secret[-HALF:])
    yield from (
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        quote_plus(quote(secret)),
    )
    yield from (json.dumps(secret)[1:-1], repr(secret)[1:-1], secret.encode().hex())
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(secret.encode()).decode().rstrip("=")
        yield from (text, quote(text, safe=""))


def found_in(text: str, secrets: Collection[str]) -> set[str]:
    """Return the forms of secrets that a text contains."""
    return {form for secret in secrets for form in forms(secret) if form in text}


def found_in_files(folder: Path, secrets: Collection[str]) -> dict[str, set[str]]:
    """Return the files that contain secrets, by path below ``folder``, and in which forms.

    Links to other folders are not followed.
    """
    found = {}
    for directory, _, names in os.walk(folder):
        for path in (Path(directory, name) for name in names):
            if forms_there := found_in(path.read_bytes().decode("latin-1"), secrets):
                found[str(path.relative_to(folder))] = forms_there
    return found
