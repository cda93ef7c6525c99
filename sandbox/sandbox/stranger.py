"""A foreign host, to prove that credentials never travel to one."""

from sandbox.exchange import Request, Response, json_response
from sandbox.frame import Frame


class Stranger:
    """Answers everything with 200 and JSON; ``log`` has every request with all its headers."""

    def __init__(self, answer: object = None) -> None:
        """Response with this JSON value, an empty object unless given."""
        self._answer = json_response({} if answer is None else answer)
        self.app = Frame(self._respond)
        self.log = self.app.log

    async def _respond(self, _request: Request) -> Response:
        return self._answer
