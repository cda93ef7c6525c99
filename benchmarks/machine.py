"""The machine and the versions on which the figures were measured."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path


def facts() -> dict[str, str]:
    """Return the machine, the operating system and the Python version as text."""
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores, {_memory_gib():.0f} GiB of memory",
        "system": f"{_system()}, Linux {platform.release()}"
        if platform.system() == "Linux"
        else platform.platform(),
        "python": platform.python_version(),
    }


def our_versions() -> dict[str, str]:
    """Return the versions of the kit, the SDK and Meltano."""
    names = ("analytics-tap-kit", "singer-sdk", "meltano")
    return {name: metadata.version(name) for name in names}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.machine())


def _memory_gib() -> float:
    return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")) / (1 << 30)


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()
