"""A foreign host, for tests that credentials are never sent to one."""

from sandbox.exchange import Request, Response, json_response
from sandbox.frame import Frame


class Stranger:
    """A host that responds to everything with 200; ``log`` has all requests and their headers."""

    def __init__(self, value: object = None) -> None:
        """Respond with this JSON value, by default an empty object."""
        self._response = json_response({} if value is None else value)
        self.app = Frame(self._respond)
        self.log = self.app.log

    async def _respond(self, _request: Request) -> Response:
        return self._response
