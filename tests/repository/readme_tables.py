"""The tables in the taps' READMEs; ``python -m tests.repository.readme_tables`` writes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_khoros_analytics.tap import TapKhorosAnalytics
from tap_kindmetrics.tap import TapKindmetrics
from tap_kissmetrics.tap import TapKissmetrics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_kit.tap import KitTap

ROOT = Path(__file__).parent.parent.parent
TAPS: tuple[type[KitTap], ...] = (TapKhorosAnalytics, TapKindmetrics, TapKissmetrics)


def settings_table(tap: type[KitTap]) -> str:
    """The tap's own settings; the SDK's are left to ``--about``."""
    schema = tap.config_jsonschema
    required = set(schema.get("required", ()))
    own = {
        name: definition
        for name, definition in schema["properties"].items()
        if definition.get("title")
        and not name.startswith(("stream_map", "flattening", "batch", "faker"))
    }
    rows = [_setting_row(name, definition, required) for name, definition in own.items()]
    return "\n".join(["| setting | kind | default | what it is |", "|---|---|---|---|", *rows])


def _setting_row(name: str, definition: Mapping[str, Any], required: set[str]) -> str:
    kinds = definition["type"]
    kind = kinds if isinstance(kinds, str) else kinds[0]
    marks = [mark for mark in ("secret",) if definition.get(mark)]
    default = definition.get("default")
    shown = "**required**" if name in required else "" if default in (None, {}) else f"`{default}`"
    return f"| `{name}` | {', '.join([kind, *marks])} | {shown} | {definition['description']} |"


def streams_table(tap: type[KitTap]) -> str:
    """The tap's streams, their keys and how they are replicated."""
    rows = [
        f"| `{stream.name}` | {', '.join(f'`{key}`' for key in stream.primary_keys)} | "
        f"{f'by `{stream.replication_key}`' if stream.replication_key else 'whole'} | "
        f"{stream.schema.get('title', '')} |"
        for stream in tap(validate_config=False).streams.values()
    ]
    return "\n".join(["| stream | key | replication | a row |", "|---|---|---|---|", *rows])


def filled(text: str, tap: type[KitTap]) -> str:
    """A README with the tables of today between its markers."""
    for name, table in (("settings", settings_table(tap)), ("streams", streams_table(tap))):
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}{table}\n{end}{rest.partition(end)[2]}"
    return text


def readme_of(tap: type[KitTap]) -> Path:
    """Where a tap's README is."""
    return ROOT / tap.name / "README.md"


def main() -> None:
    """Write the tables of all taps."""
    for tap in TAPS:
        path = readme_of(tap)
        path.write_text(filled(path.read_text("utf-8"), tap), encoding="utf-8")


if __name__ == "__main__":
    main()
