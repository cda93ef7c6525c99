"""How the API says no."""

from html import escape

from sandbox.exchange import HTML, Request, Response, json_response


class Refusal(Exception):
    """A status other than 200, with the three fields of the vendor's error body."""

    def __init__(
        self, status: int, message: str, param: str | None = None, details: str | None = None
    ) -> None:
        """Keep what the body will say."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.details = details


def refuse(refusal: Refusal, request: Request) -> Response:
    """Say no in JSON, or as a page when the client looks like a browser."""
    if takes_html_first(request):
        page = f"<!DOCTYPE html><html><body><h1>{escape(refusal.message)}</h1></body></html>"
        return Response(refusal.status, page.encode(), HTML)
    body = {"message": refusal.message, "param": refusal.param, "details": refusal.details}
    return json_response(body, refusal.status)


def takes_html_first(request: Request) -> bool:
    """Whether the client asks for a page before anything else, as browsers do."""
    return request.headers.get("accept", "").lower().lstrip().startswith("text/html")


def takes_json(request: Request) -> bool:
    """Whether JSON is among what the client takes; it is when it does not say."""
    accept = request.headers.get("accept", "*/*").lower()
    kinds = {part.partition(";")[0].strip() for part in accept.split(",")}
    return not kinds.isdisjoint({"application/json", "application/*", "*/*"})
