"""The tables in the taps' READMEs, and what other pages take from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_kit.run.about import streams_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk import Stream
    from tap_kit.tap import KitTap


def own_settings(tap: type[KitTap]) -> dict[str, dict[str, Any]]:
    """The settings that are the tap's and not the SDK's."""
    properties = tap.config_jsonschema["properties"]
    return {name: properties[name] for name in properties if name not in sdk_settings(tap)}


def sdk_settings(tap: type[KitTap]) -> dict[str, dict[str, Any]]:
    """The settings that every tap has from the SDK."""
    schema: dict[str, Any] = {"properties": {}}
    tap.append_builtin_config(schema)
    properties: dict[str, dict[str, Any]] = schema["properties"]
    return properties


def streams_of(tap: type[KitTap], variant: str | None = None) -> list[Stream]:
    """The streams of a tap without an account, of one of its variants (the first one)."""
    config = tap.variants()[variant] if variant is not None else None
    return list(tap(config=config, validate_config=False, setup_mapper=False).streams.values())


def settings_table(tap: type[KitTap]) -> str:
    """The tap's own settings; the SDK's are left to ``--about``."""
    required = set(tap.config_jsonschema.get("required", ()))
    rows = [
        f"| `{name}` | {kind_of(definition)} | {default_of(name, definition, required)} | "
        f"{definition['description']} |"
        for name, definition in own_settings(tap).items()
    ]
    return "\n".join(["| setting | kind | default | what it is |", "|---|---|---|---|", *rows])


def kind_of(definition: Mapping[str, Any]) -> str:
    """The type of a setting's value, and whether it is a secret."""
    kinds = definition["type"]
    kind = kinds if isinstance(kinds, str) else kinds[0]
    return f"{kind}, secret" if definition.get("secret") else str(kind)


def default_of(name: str, definition: Mapping[str, Any], required: set[str]) -> str:
    """What a table shows as a setting's default."""
    default = definition.get("default")
    if name in required:
        return "**required**"
    return "" if default in (None, {}) else f"`{default}`"


def filled(text: str, tap: type[KitTap]) -> str:
    """A README with the tables of today between its markers."""
    tables = {"settings": settings_table(tap)}
    for variant in tap.variants():
        tables[f"streams {variant}".strip()] = streams_table(streams_of(tap, variant))
    for name, table in tables.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}{table}\n{end}{rest.partition(end)[2]}"
    return text
