"""The tenant's teams and agents, all invented."""

from typing import Any, NamedTuple

AGENTS = 12  # in the events; rosters may have more


class Team(NamedTuple):
    """A team; filters use its ``id``."""

    id: int
    name: str
    description: str | None


class Agent(NamedTuple):
    """An agent; rosters include a disabled one only on request."""

    id: str
    name: str
    email: str
    team: Team
    is_enabled: bool
    role: str


TEAMS = (
    Team(301, "Front line", "First answers, all networks"),
    Team(302, "Équipe Québec", "Réponses en français"),
    Team(303, 'Billing, "hard cases"', None),
)
NAMES = (
    "Ada Lindqvist",
    "Bogdan Petrov",
    "Chiara D'Angelo",
    "Dōgen Yamada",
    "Eva Müller",
    "Farid Haddad",
    "Grace O'Neil",
    "Hüseyin Şahin",
    "Inès Lefèvre",
    "João Carvalho",
    "Kim, Ji-woo",
    "Léa Ångström",
)
DISABLED = frozenset({5, 11})


def agent(number: int) -> Agent:
    """Return an agent by number from 0; after the twelfth, names repeat with a number added."""
    place = number % AGENTS
    again = f" {number // AGENTS + 1}" if number >= AGENTS else ""
    return Agent(
        id=str(70001 + number),
        name=NAMES[place] + again,
        email=f"agent{number + 1}@tenant.example",
        team=TEAMS[number % len(TEAMS)],
        is_enabled=place not in DISABLED,
        role=("Agent", "Expert", "Supervisor")[number % 3],
    )


CREW = tuple(agent(number) for number in range(AGENTS))


def teams_result() -> list[dict[str, Any]]:
    """Return the ``result`` of ``/teams``."""
    return [
        {
            "uuid": f"5eab1e00-7ea3-4000-8000-000000000{team.id}",
            "teamId": team.id,
            "name": team.name,
            "description": team.description,
            "numberOfMembers": sum(member.team == team for member in CREW),
        }
        for team in TEAMS
    ]
