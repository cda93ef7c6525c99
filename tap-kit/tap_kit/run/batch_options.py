"""The options of batch files, in the form of the SDK's setting ``batch_config``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tap_kit.run.settings import DEFAULT_BATCH_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tap_kit.run.settings import Config

ROOT_SETTING = "batch_config.storage.root"
_SAFE_PATH = re.compile(r"[A-Za-z0-9_./~-]+")  # targets differ in how they read other characters
MAX_PREFIX = 100  # characters; a file's name has at most 255
_SAFE_NAME = re.compile(rf"[A-Za-z0-9_.-]{{0,{MAX_PREFIX}}}")


@dataclass(frozen=True)
class BatchOptions:
    """Where and how batch files are written."""

    folder: Path
    prefix: str
    is_compressed: bool
    max_rows: int

    @classmethod
    def of(cls, batch_config: Config) -> BatchOptions:
        """Return the options in the form of the SDK's setting ``batch_config``."""
        storage, encoding = batch_config["storage"], batch_config.get("encoding", {})
        return cls(
            folder=_folder(storage["root"]),
            prefix=storage.get("prefix") or "",
            is_compressed=encoding.get("compression") == "gzip",
            max_rows=batch_config.get("batch_size") or DEFAULT_BATCH_ROWS,
        )

    @property
    def encoding(self) -> dict[str, str]:
        """The encoding in a BATCH message."""
        return {"format": "jsonl", "compression": "gzip" if self.is_compressed else "none"}


def batch_problems(config: Config, valid: Config) -> Iterator[str]:
    """Yield the problems of ``batch_config`` that the schema of the settings cannot express.

    ``valid`` are the parts of the settings that fit the schema.
    """
    batch_config = valid.get("batch_config") or {}
    storage, encoding = batch_config.get("storage") or {}, batch_config.get("encoding") or {}
    if batch_config and not storage.get("root"):
        if not _has_root(config["batch_config"]):
            yield f"{ROOT_SETTING} must be a folder that the target can read too"
    elif batch_config and not _is_usable(storage["root"]):
        yield (
            f"{ROOT_SETTING} must be a folder on this machine, with a path of letters, digits, "
            "'_', '.', '-' and '/' only"
        )
    if encoding.get("format", "jsonl") != "jsonl":
        yield "batch_config.encoding.format must be jsonl; the tap writes no other format"
    if not _SAFE_NAME.fullmatch(storage.get("prefix") or ""):
        yield (
            f"batch_config.storage.prefix must have at most {MAX_PREFIX} characters, and only "
            "letters, digits, '_', '.' and '-'"
        )


def _has_root(batch_config: Config) -> bool:
    """Return whether there is a root, even if it has another type, which is reported already."""
    storage = batch_config.get("storage") or {}
    return not isinstance(storage, dict) or bool(storage.get("root"))


def _is_usable(root: str) -> bool:
    try:
        return bool(_SAFE_PATH.fullmatch(str(_folder(root))))
    except (RuntimeError, ValueError):  # ~ of an unknown user, a loop of links, a null character
        return False


def _folder(root: str) -> Path:
    local = root.removeprefix("file://")
    return Path(root) if "://" in local else Path(local).expanduser().resolve()
