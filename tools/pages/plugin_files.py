"""What tells Meltano and its hub of a tap: ``plugin.yml``, ``hub.yml``, part of ``meltano.yml``."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

import yaml

from tools.pages.meltano_settings import expected_settings
from tools.pages.readme_tables import streams_of

if TYPE_CHECKING:
    from tap_kit.tap import KitTap

Definition = dict[str, Any]

PLUGIN_HEAD = """\
# For a Meltano project of your own; made from the tap by `make pages`, a test compares.
#   echo ANALYTICS_TAPS=/where/this/repository/is >> .env
#   meltano add {tap} --from-ref /where/this/repository/is/{tap}/plugin.yml
"""
HUB_HEAD = """\
# For a pull request to MeltanoHub (_data/meltano/extractors/{tap}/) once the packages are on PyPI:
# `quality` is then computed there, `variant` is the owner of the repository.
# Made from the tap by `make pages`, a test compares.
"""
LABELS = {
    "tap-khoros-analytics": "Khoros Care analytics",
    "tap-kindmetrics": "Kindmetrics",
    "tap-kissmetrics": "Kissmetrics",
}
WEBSITES = {
    "tap-khoros-analytics": "https://khoros.com",
    "tap-kindmetrics": "https://app.kindmetrics.io",
    "tap-kissmetrics": "https://www.kissmetrics.io",
}


def plugin_file(tap: type[KitTap]) -> str:
    """``plugin.yml``: what ``meltano add --from-ref`` takes; the kit is named as pip needs it."""
    folder = "${ANALYTICS_TAPS}"
    definition = {
        **_common(tap),
        "variant": "analytics-taps",
        "pip_url": f"{folder}/tap-kit {folder}/{tap.name}",
    }
    return PLUGIN_HEAD.format(tap=tap.name) + _yaml(definition)


def hub_file(tap: type[KitTap]) -> str:
    """``hub.yml``: the definition as the hub wants it."""
    definition = {
        **_common(tap),
        "variant": "analytics-taps",
        "pip_url": tap.name,
        "quality": "unknown",
        "maintenance_status": "beta",
        "domain_url": WEBSITES[tap.name],
        "keywords": ["api", "meltano_sdk"],
    }
    return HUB_HEAD.format(tap=tap.name) + _yaml(definition)


def project_file(text: str, tap: type[KitTap]) -> str:
    """``meltano.yml`` with the tap's settings of today; all else in it is written by hand."""
    block = re.compile(
        rf"(  - name: {tap.name}\n.*?\n    settings:\n)(.*?)(    select:)", re.DOTALL
    )
    settings = textwrap.indent(_yaml(expected_settings(tap)), "    ")
    made, count = block.subn(lambda found: f"{found[1]}{settings}{found[3]}", text)
    if count != 1:
        msg = f"meltano.yml has no settings block of {tap.name} before its select"
        raise ValueError(msg)
    return made


def _common(tap: type[KitTap]) -> Definition:
    deselected = [f"!{s.name}.*" for s in streams_of(tap) if not s.selected_by_default]
    return {
        "name": tap.name,
        "namespace": tap.name.replace("-", "_"),
        "label": LABELS[tap.name],
        "description": " ".join((tap.__doc__ or "").split()),
        "executable": tap.name,
        "capabilities": sorted(capability.value for capability in tap.capabilities),
        "settings_group_validation": tap.required_settings(),
        "settings": expected_settings(tap),
        "select": ["*.*", *deselected],
    }


class _AsMeltano(yaml.SafeDumper):
    """Writes what Meltano would write, so that its own changes to the file are small."""


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    needs_quotes = text.startswith("'") or ": " in text
    style = '"' if needs_quotes and "'" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_AsMeltano.add_representer(str, _quoted)


def _yaml(definition: Definition | list[Definition]) -> str:
    return yaml.dump(definition, Dumper=_AsMeltano, sort_keys=False, allow_unicode=True, width=1000)
