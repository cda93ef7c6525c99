"""The tables in the taps' READMEs, and helpers for other pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_kit.run.about import streams_table

from tools.pages import schemas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from singer_sdk import Stream
    from tap_kit.tap import KitTap

    from tools.workspace import TapFolder


def own_settings(tap: type[KitTap]) -> dict[str, dict[str, Any]]:
    """Return the tap's own settings, without the SDK's."""
    properties = tap.config_jsonschema["properties"]
    return {name: properties[name] for name in properties if name not in sdk_settings(tap)}


def sdk_settings(tap: type[KitTap]) -> dict[str, dict[str, Any]]:
    """Return the settings that every tap has from the SDK."""
    schema: dict[str, Any] = {"properties": {}}
    tap.append_builtin_config(schema)
    properties: dict[str, dict[str, Any]] = schema["properties"]
    return properties


def streams_of(tap: type[KitTap], variant: str | None = None) -> list[Stream]:
    """Return the streams of a variant of a tap (by default the first), without an account."""
    config = tap.variants()[variant] if variant is not None else None
    return list(tap(config=config, validate_config=False, setup_mapper=False).streams.values())


def settings_table(tap: type[KitTap]) -> str:
    """Return a table of the tap's own settings; ``--about`` shows the SDK's."""
    required = set(tap.config_jsonschema.get("required", ()))
    rows = [
        f"| `{name}` | {kind_of(definition)} | {default_of(name, definition, required)} | "
        f"{definition['description']} |"
        for name, definition in own_settings(tap).items()
    ]
    return "\n".join(["| setting | kind | default | what it is |", "|---|---|---|---|", *rows])


def kind_of(definition: Mapping[str, Any]) -> str:
    """Return the type of a setting's value, and whether it is a secret."""
    kind = schemas.kind_of(definition, "any")
    return f"{kind}, secret" if definition.get("secret") else kind


def default_of(name: str, definition: Mapping[str, Any], required: set[str]) -> str:
    """Return a setting's default as a table shows it."""
    default = definition.get("default")
    if name in required:
        return "**required**"
    return "" if default in (None, {}) else f"`{default}`"


def filled(text: str, tap: type[KitTap]) -> str:
    """Return a tap's README with current tables between its markers."""
    text = between(text, "settings", settings_table(tap))
    for variant in tap.variants():
        table = streams_table(streams_of(tap, variant))
        text = between(text, f"streams {variant}".strip(), table)
    return text


def with_taps(text: str, folders: Sequence[TapFolder]) -> str:
    """Return the repository's README with the current table of taps."""
    head = ["| tap | reads | incremental by |", "|---|---|---|"]
    rows = [
        f"| [{one.name}]({one.name}/README.md) | {one.about['reads']} | "
        f"{one.about['incremental-by']} |"
        for one in folders
    ]
    return between(text, "taps", "\n".join([*head, *rows]))


def between(text: str, name: str, table: str) -> str:
    """Return a page with a table between its markers, which are added at the end if missing."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, found, rest = text.partition(begin)
    if not found:
        return f"{text.rstrip()}\n\n{begin}{table}\n{end}\n"
    return f"{before}{begin}{table}\n{end}{rest.partition(end)[2]}"
