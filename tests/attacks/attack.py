"""What an attack is, and how it must end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import TypeAlias

    from tests.attacks.server import Reply

    Parts: TypeAlias = Sequence[tuple[bytes, int]]  # of a file: joined when it is written

MAX_PEAK_MIB = 512
MAX_LINE = 5_000  # characters of a log line


@dataclass(frozen=True, eq=False)
class Attack:
    """One attempt against a run of a tap.

    ``rows`` is the number of records of a survivable attack; None for one that must end with exit
    code 1. ``says`` is a part of the error line, or of a warning of a run that survives.
    ``seconds`` is the longest time that a run may take. ``never`` is what no request may contain
    in its path. ``files`` has the contents of state, catalog or config: parts, each so many times.
    ``around`` opens another server beside the fake; it returns settings (in lower case) and
    variables of the environment (in upper case).
    """

    kind: str
    tried: str
    account: str
    routes: Mapping[str, Reply] = field(default_factory=dict)
    rows: int | None = None
    says: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 60.0
    never: str = ""
    streams: tuple[str, ...] = ()
    files: Mapping[str, Parts] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    around: Callable[[], AbstractContextManager[dict[str, str]]] | None = None
    limits: Mapping[str, int] = field(default_factory=dict)  # by name in the module resource
    closed: tuple[int, ...] = ()  # file descriptors that are closed

    @property
    def is_survived(self) -> bool:
        """Whether the run must end with exit code 0."""
        return self.rows is not None
