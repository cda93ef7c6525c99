"""How the API says no; the vendor documents none of it but a 400 with an empty object."""

from sandbox.exchange import Response, json_response


class Refusal(Exception):
    """A status other than 200, with the text of the envelope's ``message``."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def refuse(refusal: Refusal, *, bare: bool = False) -> Response:
    """Say no in the envelope; ``bare`` gives the one documented form, ``{}``, for a 400."""
    if bare and refusal.status == 400:
        return json_response({}, refusal.status)
    body = {"status": "FAIL", "request": None, "message": refusal.message, "result": None}
    return json_response(body, refusal.status)
