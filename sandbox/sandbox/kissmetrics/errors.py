"""The API's error responses: one form for the lists, one with links for v2, one for v3."""

from sandbox.exchange import Refusal, Request, Response, json_response

NO_CACHE = (("cache-control", "no-cache"),)
CODES = {401: "not_authenticated", 404: "not_found", 406: "not_acceptable"}
NOT_FOUND = "not found"


def refuse_core(refusal: Refusal) -> Response:
    """Return the error in the form of the lists, as observed for 404."""
    return _refuse(refusal, {"meta": _meta(refusal)})


def refuse_v2(refusal: Refusal) -> Response:
    """Return the error in the form of v2, as observed for 400."""
    return _refuse(refusal, {"meta": _meta(refusal), "links": []})


def refuse_v3(refusal: Refusal) -> Response:
    """Return the error in the form of v3, as documented for 401."""
    return _refuse(refusal, {"status": refusal.status, "messages": [refusal.message]})


def _refuse(refusal: Refusal, body: dict[str, object]) -> Response:
    return json_response(body, refusal.status, (*NO_CACHE, *refusal.headers))


def _meta(refusal: Refusal) -> dict[str, object]:
    code = CODES.get(refusal.status, "invalid_parameter")
    return {"status": refusal.status, "message": refusal.message, "errors": [code]}


def not_found(_request: Request) -> Response:
    """Refuse any request.

    Raises:
        Refusal: 404.
    """
    raise Refusal(404, NOT_FOUND)


def check_access(request: Request, token: str) -> None:
    """Check that the header has the token and that the client accepts JSON.

    Raises:
        Refusal: 401 without the token, 406 for a client that does not accept JSON.
    """
    if request.headers.get("authorization") != f"Bearer {token}":
        raise Refusal(401, "not authenticated")
    if not request.accepts_json:
        raise Refusal(406, "only application/json is supported")


def whole_number(request: Request, name: str, default: int, least: int = 0) -> int:
    """Return a whole number of the query.

    Raises:
        Refusal: 400 with a message that was observed.
    """
    text = request.parameter(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal()):
        raise Refusal(400, f":{name} must be an integer")
    if int(text) < least:
        raise Refusal(400, f":{name} must be at least {least}")
    return int(text)
