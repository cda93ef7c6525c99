"""How the API says no: one form for the lists, the same with links for queries, one for v3."""

from sandbox.exchange import Request, Response, json_response

NO_CACHE = (("cache-control", "no-cache"),)
CODES = {401: "not_authenticated", 404: "not_found", 406: "not_acceptable"}
NOT_FOUND = "not found"


class Refusal(Exception):
    """A status other than 2xx, with what its body says."""

    def __init__(
        self, status: int, message: str, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        """Keep what the answer will say."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers


def refuse_core(refusal: Refusal) -> Response:
    """Say no as the lists do; the 404 is as seen."""
    return json_response({"meta": _meta(refusal)}, refusal.status, (*NO_CACHE, *refusal.headers))


def refuse_query(refusal: Refusal) -> Response:
    """Say no as v2 does; the 400 is as seen."""
    body = {"meta": _meta(refusal), "links": []}
    return json_response(body, refusal.status, (*NO_CACHE, *refusal.headers))


def refuse_v3(refusal: Refusal) -> Response:
    """Say no as v3 does; the 401 is as documented."""
    body = {"status": refusal.status, "messages": [refusal.message]}
    return json_response(body, refusal.status, (*NO_CACHE, *refusal.headers))


def _meta(refusal: Refusal) -> dict[str, object]:
    code = CODES.get(refusal.status, "invalid_parameter")
    return {"status": refusal.status, "message": refusal.message, "errors": [code]}


def check_access(request: Request, token: str) -> None:
    """Let in whoever shows the token in the header and takes JSON.

    Raises:
        Refusal: 401 without the token, 406 for a client that takes no JSON.
    """
    if request.headers.get("authorization") != f"Bearer {token}":
        raise Refusal(401, "not authenticated")
    accept = request.headers.get("accept", "*/*").lower()
    kinds = {part.partition(";")[0].strip() for part in accept.split(",")}
    if kinds.isdisjoint({"application/json", "application/*", "*/*"}):
        raise Refusal(406, "only application/json is supported")


def whole_number(request: Request, name: str, default: int, least: int = 0) -> int:
    """Read a whole number from the query.

    Raises:
        Refusal: 400 in the words that were seen.
    """
    text = request.parameter(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal()):
        raise Refusal(400, f":{name} must be an integer")
    if int(text) < least:
        raise Refusal(400, f":{name} must be at least {least}")
    return int(text)
