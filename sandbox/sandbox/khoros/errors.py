"""How the API says no; the vendor documents none of it but a 400 with an empty object."""

from sandbox.exchange import Answer, json_answer


class Refusal(Exception):  # noqa: N818 (an answer, not a failure)
    """A status other than 200, with the text of the envelope's ``message``."""

    def __init__(self, status: int, message: str) -> None:
        """Keep what the body will say."""
        super().__init__(message)
        self.status = status
        self.message = message


def bad_request(message: str) -> Refusal:
    """Make the refusal of a request that is wrong in itself."""
    return Refusal(400, message)


def refuse(refusal: Refusal, *, bare: bool = False) -> Answer:
    """Say no in the envelope; ``bare`` gives the one documented form, ``{}``, for a 400."""
    if bare and refusal.status == 400:  # noqa: PLR2004
        return json_answer({}, refusal.status)
    body = {"status": "FAIL", "request": None, "message": refusal.message, "result": None}
    return json_answer(body, refusal.status)
