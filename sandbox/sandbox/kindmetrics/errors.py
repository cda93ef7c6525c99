"""The API's error responses."""

from html import escape

from sandbox.exchange import HTML, Request, Response, json_response


class Refusal(Exception):
    """A status other than 200, with the three fields of the vendor's error body."""

    def __init__(
        self, status: int, message: str, param: str | None = None, details: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.details = details


def refuse(refusal: Refusal, request: Request) -> Response:
    """Return the error as JSON, or as a page if the client prefers HTML, as browsers do."""
    if request.headers.get("accept", "").lower().lstrip().startswith("text/html"):
        page = f"<!DOCTYPE html><html><body><h1>{escape(refusal.message)}</h1></body></html>"
        return Response(refusal.status, page.encode(), HTML)
    body = {"message": refusal.message, "param": refusal.param, "details": refusal.details}
    return json_response(body, refusal.status)
