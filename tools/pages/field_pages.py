"""The pages docs/streams.md and docs/settings.md, made from the taps."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from tap_kit.run.about import streams_table

from tools.pages.readme_tables import (
    default_of,
    kind_of,
    own_settings,
    sdk_settings,
    streams_of,
)
from tools.pages.schemas import kinds_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_kit.tap import KitTap


COMMON = 3  # a field that so many streams have is described once

STREAMS_HEAD = """\
# Which streams and fields exist?

`make pages` generates this page from the taps, and a test checks that it is up to date. Your own
catalog may have more streams and fields, since Khoros' columns depend on the tenant, and a
Kissmetrics report with a `name` and `columns` in the settings is a separate stream. To list them,
run `.venv/bin/meltano select TAP --list --all`. To read fewer of them, see
[columns.md](columns.md).

- Only a field whose type includes null can be null. Keys are never null.
- `row_id` is a hash of the row's natural key, used where that key can be null or long. It has 32
  characters and is the same for the same row in every run.
- *Replication* names the replication key. A stream with `whole` is read completely in each run.
"""
SETTINGS_HEAD = """\
# Which settings exist?

`make pages` generates this page from the taps, and a test checks that it is up to date.
`.venv/bin/tap-kindmetrics --about` prints the same for one tap, with `--format=json` as JSON.

With Meltano, set a setting as a variable in `.env` or in front of the command. Lists and objects
are JSON in one line:

```
TAP_KINDMETRICS_START_DATE=2026-01-01
TAP_KINDMETRICS_DOMAIN_IDS=[1,2]
```

Or add a line under `config:` of the plugin in `meltano.yml`, but put secrets in `.env`. Without
Meltano, set it in the JSON file that `--config` names, or use the same variables with
`--config=ENV`: the tap then also reads `.env` in the working folder or above. A variable of the
environment has priority over `.env`, and both over a file. An empty variable is unset. A list of
strings can also be written with commas. All invalid settings are reported together, before anything
is read, each with its variable.
"""
SDK_HEAD = """\
## Settings of the SDK, in every tap

The [SDK](https://sdk.meltano.com) documents them. With a mapping or flattening, a stream uses the
SDK's own, slower path. [targets.md](targets.md#batch-files) says when batch files pay.

| setting | kind | what it is |
|---|---|---|
"""


def streams_page(taps: Sequence[type[KitTap]]) -> str:
    """Return the text of docs/streams.md."""
    parts = [_of_tap(tap, variant) for tap in taps for variant in tap.variants()]
    return "\n".join([STREAMS_HEAD, *parts])


def _of_tap(tap: type[KitTap], variant: str) -> str:
    streams, name = streams_of(tap, variant), f"{tap.name} {variant}".strip()
    rows = [list(_field_rows(stream.schema)) for stream in streams]
    counts = Counter(row for of_stream in rows for row in of_stream)
    common = [row for row, count in counts.items() if count >= COMMON]
    parts = [f"## {name}", streams_table(streams)]
    if common:
        parts += [f"### {name}: fields of several streams", _table(common)]
    for stream, of_stream in zip(streams, rows, strict=True):
        parts += [f"### {name} {stream.name}", _of_stream(of_stream, common)]
    return "\n\n".join(parts) + "\n"


def _of_stream(rows: Sequence[str], common: Sequence[str]) -> str:
    """Return a table of the fields that only this stream has, and the names of the common ones."""
    own = [row for row in rows if row not in common]
    shared = ", ".join(row.split("|")[1].strip() for row in rows if row in common)
    parts = [_table(own)] if own else []
    return "\n\n".join([*parts, f"{'And' if own else 'Only'} {shared}."] if shared else parts)


def _table(rows: Sequence[str]) -> str:
    return "\n".join(["| field | type | meaning |", "|---|---|---|", *rows])


def _field_rows(schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for name, definition in schema.get("properties", {}).items():
        meaning = " ".join(definition.get("description", "").split()).replace("|", "\\|")
        yield f"| `{path}{name}` | {_type_of(definition)} | {meaning} |"
        yield from _field_rows(definition, f"{path}{name}.")


def _type_of(definition: Mapping[str, Any]) -> str:
    kinds = kinds_of(definition)
    words = [str(definition.get("format", kind)) for kind in kinds if kind != "null"]
    return ", ".join([*words, *(["null"] if "null" in kinds else [])])


def settings_page(taps: Sequence[type[KitTap]]) -> str:
    """Return the text of docs/settings.md."""
    own = [f"## {tap.name}\n\n{_variables(tap)}\n" for tap in taps]
    sdk = "\n".join(_sdk_rows(sdk_settings(taps[0])))
    return "\n".join([SETTINGS_HEAD, *own, f"{SDK_HEAD}{sdk}\n"])


def _variables(tap: type[KitTap]) -> str:
    required = set(tap.config_jsonschema.get("required", ()))
    prefix = f"{tap.name.upper().replace('-', '_')}_"
    rows = [
        f"| `{name}` | `{prefix}{name.upper()}` | {kind_of(definition)} | "
        f"{default_of(name, definition, required)} | {definition['description']} |"
        for name, definition in own_settings(tap).items()
    ]
    head = "| setting | variable | kind | default | what it is |\n|---|---|---|---|---|"
    return "\n".join([head, *rows])


def _sdk_rows(properties: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for name, definition in properties.items():
        if definition.get("properties"):
            yield from _sdk_rows(definition["properties"], f"{path}{name}.")
        else:
            text = " ".join(definition.get("description", "").split()).replace("|", "\\|")
            yield f"| `{path}{name}` | {kind_of(definition)} | {text} |"
