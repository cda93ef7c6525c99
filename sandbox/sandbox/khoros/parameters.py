"""The parameters of a request: in the query, or in the body of some POSTs."""

import json
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl

from sandbox.exchange import Refusal, Request
from sandbox.khoros.catalog import Export
from sandbox.khoros.query import Pairs

FORM = "application/x-www-form-urlencoded"
TYPES = {FORM: "form", "application/json": "json"}
ACCESS = ("companyKey",)  # always in the query


def parameters_of(request: Request, export: Export, body_types: Iterable[str]) -> Pairs:
    """Return a creation's parameters, without the company key.

    Raises:
        Refusal: 400 for a parameter in the wrong place, 415 for a body of another type.
    """
    query = [pair for pair in request.query if pair[0] not in ACCESS]
    if request.method != "POST" or not export.body:
        if request.body:
            raise Refusal(400, f"{request.method} {export.id} must not have a body")
        return query
    for name, _ in query:
        if name not in export.in_query:
            raise Refusal(400, f"{name} must be in the body of POST {export.id}")
    in_body = list(_body(request, frozenset(body_types)))
    for name, _ in in_body:
        if name in (*ACCESS, *export.in_query):
            raise Refusal(400, f"{name} must be in the query of POST {export.id}")
    return query + in_body


def _body(request: Request, body_types: frozenset[str]) -> Iterable[tuple[str, str]]:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    kind = TYPES.get(content_type)
    if kind not in body_types:
        raise Refusal(415, f"Content type '{content_type}' not supported")
    try:
        text = request.body.decode()
        return _json_pairs(json.loads(text)) if kind == "json" else _form_pairs(text)
    except ValueError:
        raise Refusal(400, "The body is not a valid form or JSON") from None


def _form_pairs(text: str) -> list[tuple[str, str]]:
    return parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))


def _json_pairs(value: object) -> Iterator[tuple[str, str]]:
    """Yield the pairs of an object of strings; a list repeats its name, booleans become text."""
    if not isinstance(value, dict):
        raise Refusal(400, "The body is not a JSON object")
    for name, given in value.items():
        for item in given if isinstance(given, list) else [given]:
            if isinstance(item, bool):
                yield name, str(item).lower()
            elif isinstance(item, str):
                yield name, item
            else:
                raise Refusal(400, f"{name} is not a string")
