"""A tap as Meltano and its hub define it: ``plugin.yml``, ``hub.yml``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from tools.pages.meltano_settings import expected_settings
from tools.pages.readme_tables import streams_of

if TYPE_CHECKING:
    from tools.workspace import TapFolder

Definition = dict[str, Any]

REPOSITORY = "https://github.com/OWNER/REPOSITORY"  # as in docs/install.md

PLUGIN_HEAD = """\
# To add the tap to your own Meltano project. `make pages` generates this file from the tap.
#   echo ANALYTICS_TAPS=/where/this/repository/is >> .env
#   meltano add {tap} --from-ref /where/this/repository/is/{tap}/plugin.yml
"""
HUB_HEAD = """\
# For a pull request to MeltanoHub (_data/meltano/extractors/{tap}/) when the packages are on PyPI.
# The hub then computes `quality`; `variant` is the owner of the repository.
# Replace OWNER/REPOSITORY.
# The logo, `logo.svg` in this folder, becomes static/assets/logos/extractors/{tap}.svg there.
# `make pages` generates this file from the tap.
"""


def common_definition(folder: TapFolder) -> Definition:
    """Return the common part of a tap's definitions."""
    tap = folder.tap
    deselected = [f"!{s.name}.*" for s in streams_of(tap) if not s.selected_by_default]
    return {
        "name": tap.name,
        "namespace": tap.name.replace("-", "_"),
        "label": folder.about["label"],
        "description": " ".join((tap.__doc__ or "").split()),
        "executable": tap.name,
        "capabilities": sorted(capability.value for capability in tap.capabilities),
        "settings_group_validation": tap.required_settings(),
        "settings": expected_settings(tap),
        "select": ["*.*", *deselected],
    }


def plugin_file(folder: TapFolder) -> str:
    """Return ``plugin.yml`` for ``meltano add --from-ref``; its pip_url includes the kit."""
    root = "${ANALYTICS_TAPS}"
    definition = {
        **common_definition(folder),
        "variant": "analytics-taps",
        "pip_url": f"{root}/tap-kit {root}/{folder.name}",
    }
    return PLUGIN_HEAD.format(tap=folder.name) + as_yaml(definition)


def hub_file(folder: TapFolder) -> str:
    """Return ``hub.yml``, the definition for MeltanoHub."""
    definition = {
        **common_definition(folder),
        "variant": "analytics-taps",
        "pip_url": folder.name,
        "repo": REPOSITORY,
        "docs": f"{REPOSITORY}/blob/main/{folder.name}/README.md",
        "logo_url": f"/assets/logos/extractors/{folder.name}.svg",
        "settings_preamble": _preamble(folder),
        "quality": "unknown",
        "maintenance_status": "beta",
        "domain_url": folder.about["website"],
        "keywords": ["api", "meltano_sdk"],
    }
    return HUB_HEAD.format(tap=folder.name) + as_yaml(definition)


def _preamble(folder: TapFolder) -> str:
    """Return the Markdown above the settings on the hub: what is required, and where it is."""
    ways = [
        " and ".join(f"`{setting}`" for setting in group)
        for group in folder.tap.required_settings()
    ]
    page = f"[Go live]({REPOSITORY}/blob/main/docs/go_live.md)"
    return f"Required: {', or '.join(ways)}. {page} says where to find the credentials.\n"


class _AsMeltano(yaml.SafeDumper):
    """Writes YAML as Meltano does, so that Meltano's changes to the file are small."""


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    needs_quotes = text.startswith("'") or ": " in text
    style = '"' if needs_quotes and "'" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_AsMeltano.add_representer(str, _quoted)


def as_yaml(definition: Definition | list[Definition]) -> str:
    """Return a definition as Meltano would write it."""
    return yaml.dump(definition, Dumper=_AsMeltano, sort_keys=False, allow_unicode=True, width=1000)
