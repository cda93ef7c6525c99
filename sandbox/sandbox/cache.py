"""A cache of the last responses, so that reading a list again costs almost nothing."""

from collections import OrderedDict
from collections.abc import Callable, Hashable

from sandbox.exchange import Response

MAX_BYTES = 256 * 1024 * 1024  # of bodies, without their compressed copies
MAX_RESPONSES = 20_000


class ResponseCache:
    """Responses by what they depend on, up to a number of them and of bytes."""

    def __init__(self) -> None:
        self._responses: OrderedDict[Hashable, Response] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable, make: Callable[[], Response]) -> Response:
        """Return the cached response, or make and cache it."""
        cached = self._responses.get(key)
        if cached is not None:
            return cached
        response = self._responses[key] = make()
        self._bytes += len(response.body)
        while len(self._responses) > MAX_RESPONSES or self._bytes > MAX_BYTES:
            self._bytes -= len(self._responses.popitem(last=False)[1].body)
        return response
