"""What the vendors' command lines share: types and groups of options, and what a vendor serves."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, datetime
from math import inf
from typing import Any, NamedTuple

from sandbox.frame import Frame


class UnusableOptionsError(Exception):
    """The command cannot do what its options say; the text is for the user."""


class Account(NamedTuple):
    """A vendor's API ready to serve, and a hint for the user how to send requests to it."""

    app: Frame
    hint: str


@dataclass(frozen=True)
class OptionType:
    """A type for argparse: ``read`` converts the text, or the error names what is ``expected``."""

    metavar: str
    expected: str
    read: Callable[[str], Any]

    def __call__(self, text: str) -> Any:
        """Convert the text of an option.

        Raises:
            ArgumentTypeError: the text is invalid.
        """
        try:
            return self.read(text)
        except ValueError:
            msg = f"must be {self.expected}, got {text!r}"
            raise argparse.ArgumentTypeError(msg) from None


def number(kind: Callable[[str], float], least: float, most: float = inf) -> Callable[[str], Any]:
    """Return a function that reads a number in these bounds, or raises ValueError."""

    def read(text: str) -> float:
        value = kind(text)
        if not least <= value <= most:
            raise ValueError
        return value

    return read


POSITIVE = OptionType("N", "a whole number from 1", number(int, 1))
WHOLE = OptionType("N", "a whole number", number(int, 0))
PORT = OptionType("N", "a port from 0 to 65535", number(int, 0, 65_535))
SECONDS = OptionType("S", "a number of seconds", number(float, 0))
DAY = OptionType("YYYY-MM-DD", "a date such as 2026-01-31", date.fromisoformat)
TIME = OptionType(
    "TIME",
    "a time such as 2026-01-31T14:30:00Z",
    lambda text: datetime.fromisoformat(text.replace("Z", "+00:00")),  # Python 3.10 refuses Z
)


class Group:
    """A group of options with a title in the help."""

    def __init__(self, parser: argparse.ArgumentParser, title: str) -> None:
        self._group = parser.add_argument_group(title)

    def add(self, name: str, text: str, **settings: Any) -> None:
        """Add an option; the help shows its default, and its type's metavar."""
        if settings.get("default") is not None:
            text = f"{text} (%(default)s)"
        if isinstance(settings.get("type"), OptionType):
            settings["metavar"] = settings["type"].metavar
        self._group.add_argument(name, help=text, **settings)

    def add_list(self, name: str, text: str, dest: str, **settings: Any) -> None:
        """Add an option that may be repeated."""
        self.add(name, f"{text} (repeatable)", dest=dest, action="append", **settings)

    def add_flag(self, name: str, text: str, dest: str | None = None, *, on: bool = True) -> None:
        """Add an option without a value that sets its destination to ``on``."""
        self.add(name, text, dest=dest, action="store_true" if on else "store_false")


def keywords(options: argparse.Namespace, dataclass: type) -> dict[str, Any]:
    """Return the options that were given a value and are fields of a dataclass, as keywords."""
    names = (field.name for field in fields(dataclass))
    return {name: vars(options)[name] for name in names if vars(options).get(name) is not None}
