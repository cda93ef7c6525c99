"""The settings of a tap for meltano.yml, made from the tap's schema."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from tools.pages.schemas import kinds_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tap_kit.tap import KitTap

Setting = dict[str, Any]
DAYS = {"start_date", "end_date"}


def expected_settings(tap: type[KitTap]) -> list[Setting]:
    """Return the settings of a tap for meltano.yml: its own first, then the SDK's."""
    schema = copy.deepcopy(tap.config_jsonschema)
    tap.append_builtin_config(schema)
    return list(_flattened("", schema["properties"]))


def _flattened(prefix: str, properties: Mapping[str, Any]) -> Iterator[Setting]:
    for name, definition in properties.items():
        if definition.get("properties"):  # an empty object is a setting too
            yield from _flattened(f"{prefix}{name}.", definition["properties"])
        else:
            yield _setting(prefix + name, definition)


def _setting(name: str, definition: Mapping[str, Any]) -> Setting:
    """Return a setting with its keys in the order in which Meltano writes them."""
    setting: Setting = {"name": name, "kind": _kind(name, definition)}
    if definition.get("default") is not None:
        setting["value"] = definition["default"]
    setting["label"] = definition.get("title", name)
    setting["description"] = " ".join(definition.get("description", "").split())
    if definition.get("secret"):
        setting["sensitive"] = True
    return setting


def _kind(name: str, definition: Mapping[str, Any]) -> str:
    if name in DAYS:
        return "date_iso8601"
    kinds = [kind for kind in kinds_of(definition) or ["object"] if kind != "null"]
    return kinds[0] if len(kinds) == 1 else "string"
