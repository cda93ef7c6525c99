"""The versions of the API: which of them the settings select, and what they say for the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from singer_sdk import Stream, Tap
    from singer_sdk import typing as th
    from tap_kit import Config, Run, Work

    from tap_kissmetrics.client import Client, Id
    from tap_kissmetrics.reports.saved import Account

EXPORTS = "raw_exports"
OF_ALL_VERSIONS = ("product_ids", "reports")  # the settings of what every version can read


@dataclass(frozen=True)
class Version:
    """A version of the API: its settings, its limits, and what the tap reads with it.

    ``access`` are its addresses and credentials; ``selection`` says what only this version can
    read. ``report_settings`` are the settings of a report that it has beyond those of all versions.
    ``polling_share`` is the share of the rate limit that polls may use.
    """

    description: str
    access: Sequence[th.Property[Any]]
    required: str  # one of ``access``
    id_type: type[str | int]
    open_client: Callable[[Run], Client]
    streams: Sequence[Callable[[Tap, Account[Any]], Stream]]
    report_stream: Callable[[Tap, Account[Any], Id, str, Sequence[str]], Stream]
    selection: Sequence[th.Property[Any]] = ()
    report_settings: Sequence[str] = ()
    requests_per_minute: int | None = None
    polling_share: float | None = None
    on_plan: Callable[[Run, Sequence[Work]], None] = lambda _run, _work: None

    @property
    def settings(self) -> list[str]:
        """The names of the settings that not every version has."""
        return [setting.name for setting in (*self.access, *self.selection)]


@dataclass(frozen=True)
class Selection:
    """Which version the settings select.

    ``api_version`` has priority. Without it, it is the first version whose required setting is
    set. ``config`` are the settings as they are, so that an invalid one counts as set.
    """

    config: Config
    versions: Mapping[str, Version]
    properties: Mapping[str, Any]  # the schemas of the settings

    @property
    def explicit(self) -> str | None:
        """The value of ``api_version``, if it is set and valid."""
        value = self.config.get("api_version")
        return value if isinstance(value, str) and value in self.versions else None

    @property
    def given(self) -> list[str]:
        """The versions whose required setting is set."""
        return [name for name, one in self.versions.items() if self.config.get(one.required)]

    @property
    def has_api(self) -> bool:
        """Whether the API is read; without credentials, raw exports are read alone."""
        return bool(self.given) or not self.config.get(EXPORTS)

    @property
    def name(self) -> str:
        """The version to read; the first one if the settings select none."""
        return self.explicit or next(iter([*self.given, *self.versions]))

    @property
    def is_known(self) -> bool:
        """Whether the settings select a version; an invalid ``api_version`` selects none."""
        wanted = self.config.get("api_version")
        return self.explicit is not None or (wanted is None and bool(self.given))

    @property
    def version(self) -> Version:
        """The version to read."""
        return self.versions[self.name]

    def problems(self) -> Iterator[str]:
        """Yield which credential is missing, in a line that begins with its setting."""
        version, required = self.version, self.version.required
        if not self.has_api or self.name in self.given:
            return
        if not self.given and self.explicit is None:
            ways = [f"{one.required} for {one.description}" for one in self.versions.values()]
            first, *others = [*dict.fromkeys(ways), f"{EXPORTS} for the raw data export"]
            yield f"{first.replace(' ', ' is required ', 1)}, or {', or '.join(others)}"
        elif not self.given:
            problem = "must not be empty" if required in self.config else "is required"
            yield f"{required} {problem} for {version.description}"
        else:
            other = self.given[0]
            yield (
                f"{required} is required, because api_version is {self.name}; "
                f"without api_version, {self.versions[other].required} selects {other}"
            )

    def choice(self) -> str | None:
        """Return which version is read if the credentials of several are set, for the log."""
        others = self._other_credentials()
        if not others:
            return None
        return (
            f"{' and '.join([self.version.required, *others])} are set: reading "
            f"{self.version.description}. To read another one, set api_version"
        )

    def _other_credentials(self) -> list[str]:
        """Return the credentials of which ``choice`` says that they are not used."""
        if self.explicit is not None:
            return []
        required = dict.fromkeys(self.versions[name].required for name in self.given)
        return [one for one in required if one not in self.version.settings]

    def ignored(self) -> str | None:
        """Return the settings that this run does not use, for a warning; None if it uses all.

        A setting of another version may be present with its default, or empty: Meltano sends all
        defaults, and a line in ``.env`` without a value is an empty text.
        """
        every = dict.fromkeys(name for one in self.versions.values() for name in one.settings)
        if not self.has_api:
            required = dict.fromkeys(one.required for one in self.versions.values())
            names = [*filter(self._is_set, ("api_version", *every, *OF_ALL_VERSIONS))]
            which = f"of the API, which is not read without {' or '.join(required)}"
        else:
            used = {*self.version.settings, *self._other_credentials()}
            names = [name for name in every if name not in used and self._is_set(name)]
            names += self._ignored_of_reports()
            which = f"that do not belong to api_version {self.name}"
        return f"Ignoring settings {which}: {', '.join(names)}" if names else None

    def _ignored_of_reports(self) -> Iterator[str]:
        others = dict.fromkeys(n for one in self.versions.values() for n in one.report_settings)
        for place, entry in enumerate(self.config.get("reports") or ()):
            for name in others:
                if name not in self.version.report_settings and entry.get(name):
                    yield f"reports[{place}].{name}"

    def _is_set(self, name: str) -> bool:
        default = self.properties[name].get("default")
        return self.config.get(name) not in (None, "", [], default)

    def state_problems(self, state: Mapping[str, Any]) -> Iterator[str]:
        """Yield a line if a state belongs to another version.

        The versions have other ids for the same report. With such a state, this version would begin
        at ``start_date``: days before it would be missing, and later ones would be there twice. A
        state with bookmarks of both was moved before: each version continues with its own.
        """
        found = {type(report_id) for report_id in _report_ids(state)}
        writers = [name for name, one in self.versions.items() if one.id_type in found]
        if writers and self.version.id_type not in found:
            yield (
                f"--state was written with api_version {writers[0]}, whose reports have other ids; "
                f"for {self.name}, begin with an empty state and a new schema (see "
                f"docs/kissmetrics.md), or set api_version to {writers[0]}"
            )


def _report_ids(state: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the ids of the reports whose rows were written, as the bookmarks have them."""
    for bookmark in state.get("bookmarks", {}).values():
        for partition in bookmark.get("partitions", ()):
            if "replication_key_value" in partition and "report_id" in partition["context"]:
                yield partition["context"]["report_id"]
