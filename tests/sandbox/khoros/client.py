"""A client for the tests that does what the vendor's guide says, and lets each step go wrong."""

from typing import Any
from urllib.parse import quote, urlsplit

import requests
from sandbox.khoros import Addresses, Khoros
from sandbox.khoros.catalog import EXPORTS

ACCESS = ("analytics-user", "demo-password")
KEY = {"companyKey": "demo-company"}
BASE = "/api/public"
DAY_MS = 86_400_000
DAY = 1_776_643_200_000  # 2026-04-20 00:00 UTC, a Monday
WINDOW = {"startTime": str(DAY), "endTime": str(DAY + DAY_MS - 1)}
Parameters = dict[str, Any]
BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


class Client:
    """Asks one tenant; keeps one connection to each address."""

    window = (DAY, DAY + DAY_MS - 1)

    def __init__(self, khoros: Khoros, at: Addresses) -> None:
        self.khoros = khoros
        self.at = at
        self.session = requests.Session()
        self.session.trust_env = False

    def ask(self, method: str, target: str, **options: Any) -> requests.Response:
        """Ask the API with the credentials, and follow no redirect."""
        options = {"auth": ACCESS, "allow_redirects": False, "timeout": 10, **options}
        return self.session.request(method, self.at.api + target, **options)

    def create(
        self, export: str, parameters: Parameters | None = None, **more: Any
    ) -> requests.Response:
        """Create as documented, with the parameters in the body where they belong there."""
        export_type = EXPORTS[export]
        given = {**WINDOW, **(parameters or {}), **more}
        if export.endswith("_interval"):
            given = {"timeInterval": "3600000", **given}
        given = {name: value for name, value in given.items() if value is not None}
        if not export_type.body:
            return self.ask("POST", path_of(export), params={**KEY, **given})
        inside = {name: value for name, value in given.items() if name not in export_type.in_query}
        query = {name: value for name, value in given.items() if name in export_type.in_query}
        return self.ask("POST", path_of(export), params={**KEY, **query}, data=inside)

    def started(self, export: str, **parameters: Any) -> dict[str, str]:
        """Create, and give the ids and URLs."""
        answer = self.create(export, parameters)
        assert answer.status_code == 200, answer.text
        result: dict[str, str] = answer.json()["result"]
        return result

    def job_target(self, job: dict[str, str], what: str) -> str:
        """Give path and query of the status or the download, made of the ids alone."""
        ids = f"{job['workflowId']}/{quote(job['runId'], safe='')}"
        return f"{BASE}/reports/report/{ids}/{what}?companyKey=demo-company"

    def job(self, job: dict[str, str], what: str) -> requests.Response:
        """Ask for the status or the download."""
        return self.ask("GET", self.job_target(job, what))

    def poll(self, job: dict[str, str]) -> tuple[str, str, str]:
        """Give runnerState, detail and downloadUrl, whatever the form of the answer."""
        result = self.job(job, "status").json()["result"]
        result = result[0] if isinstance(result, list) else result
        inner = result["result"]
        return inner["runnerState"], inner["detail"], result["jobInfo"]["downloadUrl"]

    def done(self, export: str, **parameters: Any) -> dict[str, str]:
        """Create, and poll until there is a downloadUrl."""
        job = self.started(export, **parameters)
        for _ in range(10):
            if self.poll(job)[2]:
                return job
        raise AssertionError(job)

    def link(self, job: dict[str, str]) -> str:
        """Give the signed link of a job that is done."""
        answer = self.job(job, "download")
        assert answer.status_code == 307, answer.text
        return answer.headers["Location"]

    def fetch(self, link: str, **options: Any) -> requests.Response:
        """Fetch from the storage, without credentials."""
        return self.session.get(link, timeout=10, **options)

    def export(self, export: str, **parameters: Any) -> requests.Response:
        """Go all the way."""
        return self.fetch(self.link(self.done(export, **parameters)))

    def rows(self, export: str, **parameters: Any) -> list[dict[str, str | None]]:
        """Go all the way, in JSON."""
        rows: list[dict[str, str | None]] = self.export(export, **parameters).json()
        return rows


def path_of(export: str) -> str:
    """Give the path that creates an export."""
    marketing = "marketing/" if EXPORTS[export].marketing else ""
    return f"{BASE}/reports/report/{marketing}{export}"


def host_of(url: str) -> str:
    """Give host and port."""
    return urlsplit(url).netloc


def received(client: Client, link: str) -> bytes:
    """Give what arrives of a body before the connection breaks."""
    parts: list[bytes] = []
    try:
        with client.session.get(link, timeout=10, stream=True) as answer:
            parts.extend(answer.iter_content(1))
    except BROKEN:
        return b"".join(parts)
    raise AssertionError(len(parts))
