"""The API's error responses; the vendor documents only a 400 with an empty object."""

from sandbox.exchange import Refusal, Response, json_response


def refuse(refusal: Refusal, *, bare: bool = False) -> Response:
    """Return the error in the envelope; with ``bare`` a 400 is ``{}``, the documented form."""
    if bare and refusal.status == 400:
        return json_response({}, refusal.status)
    body = {"status": "FAIL", "request": None, "message": refusal.message, "result": None}
    return json_response(body, refusal.status, refusal.headers)
