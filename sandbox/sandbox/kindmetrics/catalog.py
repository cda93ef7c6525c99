"""The invented world behind the figures: domains, pages, sources, countries, goals.

It contains values that make loaders fail: nulls next to empty strings, quotes, line breaks, names
that differ only in case, two goals with one name.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

ADDRESSES = ("shop.example", "blog.example", "bücher.example", "docs.example")
# The first day of the first domain; each further domain begins some months later.
FIRST_CREATED = date(2019, 3, 1)
MONTHS_APART = 5

# The server returns null for a view without a path; "" and "null" are other pages.
ODD_PAGES: tuple[str | None, ...] = (
    "/",
    "/pricing",
    "/sign_up",
    None,
    "/über-uns",
    "/日本語/ページ",
    "/party/🎉",
    "/quote\"s/and/it's",
    "/line\nbreak",
    "/back\\slash/%2F",
    "/search?q=a b&x=1",
    "/Pricing",
    "",
    "null",
    "/trailing/",
)


@dataclass(frozen=True)
class Referrer:
    """Where a visit came from; all fields are null for a direct visit."""

    source: str | None
    medium: str | None
    url: str | None
    domain: str | None


# A referrer that is listed more often has more visits.
REFERRERS: tuple[Referrer, ...] = (
    *[Referrer(None, None, None, None)] * 4,
    *[Referrer("Google", "search", "https://www.google.com/", "google.com")] * 6,
    Referrer("Google", "search", None, "google.com"),
    Referrer("Bing", "search", "https://www.bing.com/search?q=a&b=ü", "bing.com"),
    *[Referrer("indiehackers.com", "social", "https://www.indiehackers.com/", "indiehackers.com")]
    * 2,
    Referrer(
        "indiehackers.com", "social", "https://www.indiehackers.com/post/1", "indiehackers.com"
    ),
    Referrer("Twitter", "social", "https://t.co/Ab9", "t.co"),
    Referrer("newsletter", "email", None, None),
    Referrer("Müller & Söhne ☕", None, 'https://müller.example/"links"', "müller.example"),
    Referrer("Reader", None, "android-app://org.example.reader", None),
)

# ISO codes with English names; the server has none for AP, an old code for "Asia/Pacific".
COUNTRIES: dict[str, str | None] = {
    "SE": "Sweden",
    "US": "United States",
    "DE": "Germany",
    "CI": "Côte d'Ivoire",
    "BR": "Brazil",
    "JP": "Japan",
    "IN": "India",
    "NZ": "New Zealand",
    "AP": None,
}
COUNTRY_CODES = (
    ("SE",) * 6
    + ("US",) * 5
    + ("DE",) * 4
    + ("AP",) * 3
    + (*("CI", "CI", "BR", "BR", "JP", "IN", "NZ"),)
)
TOP_COUNTRIES = 6  # the server returns no more

BROWSERS = ("Firefox", "Firefox", "Chrome", "Chrome", "Chrome", "Safari")


@dataclass(frozen=True)
class Domain:
    """A tracked site; it has no figures before ``created``."""

    id: int
    address: str
    created: date


@dataclass(frozen=True)
class Goal:
    """A path that visitors view, or an event that they trigger."""

    id: int
    domain_id: int
    name: str
    kind: Literal["Path", "Event"]


def make_domain(number: int, created: date | None) -> Domain:
    """Return a domain by its number from 1, which is its id."""
    known = number <= len(ADDRESSES)
    address = ADDRESSES[number - 1] if known else f"site-{number}.example"
    months = FIRST_CREATED.month - 1 + (number - 1) % 12 * MONTHS_APART
    usual = FIRST_CREATED.replace(year=FIRST_CREATED.year + months // 12, month=months % 12 + 1)
    return Domain(number, address, created or usual)


def goals_of(domain_id: int) -> tuple[Goal, ...]:
    """Return a domain's goals: every fourth domain has none; no two domains share an id."""
    if domain_id % 4 == 0:
        return ()
    first = domain_id * 10
    return (
        Goal(first + 1, domain_id, "/sign_up", "Path"),
        Goal(first + 2, domain_id, "/sign_up", "Event"),
        Goal(first + 3, domain_id, "Kauf 🛒", "Event"),
        Goal(first + 4, domain_id, "never reached", "Event"),
    )


def page_address(page: int) -> str | None:
    """Return the address of a page by its number."""
    return ODD_PAGES[page] if page < len(ODD_PAGES) else f"/articles/{page:06d}"
