"""The answers given last, so that a list that is read again costs next to nothing."""

from collections import OrderedDict
from collections.abc import Callable, Hashable

from sandbox.exchange import Response

KEPT_BYTES = 192 * 1024 * 1024
KEPT_ANSWERS = 20_000


class Kept:
    """Answers by what they depend on, up to a number of them and of bytes."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Hashable, Response] = OrderedDict()
        self._bytes = 0

    def answer(self, key: Hashable, make: Callable[[], Response]) -> Response:
        """Give the answer that was kept, else make it and keep it."""
        kept = self._answers.get(key)
        if kept is not None:
            return kept
        answer = self._answers[key] = make()
        self._bytes += len(answer.body)
        while len(self._answers) > KEPT_ANSWERS or self._bytes > KEPT_BYTES:
            self._bytes -= len(self._answers.popitem(last=False)[1].body)
        return answer
