"""A client for the tests that follows the vendor's guide, one step at a time."""

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
    """A client of one tenant, with one connection to each address."""

    window = (DAY, DAY + DAY_MS - 1)

    def __init__(self, khoros: Khoros, at: Addresses) -> None:
        self.khoros = khoros
        self.at = at
        self.session = requests.Session()
        self.session.trust_env = False

    def request(self, method: str, target: str, **options: Any) -> requests.Response:
        """Send a request with the credentials to the API, and do not follow redirects."""
        options = {"auth": ACCESS, "allow_redirects": False, "timeout": 10, **options}
        return self.session.request(method, self.at.api + target, **options)

    def create(
        self, export: str, parameters: Parameters | None = None, **more: Any
    ) -> requests.Response:
        """Create as documented, with the parameters in the body if the export requires it."""
        export_type = EXPORTS[export]
        given = {**WINDOW, **(parameters or {}), **more}
        if export.endswith("_interval"):
            given = {"timeInterval": "3600000", **given}
        given = {name: value for name, value in given.items() if value is not None}
        if not export_type.body:
            return self.request("POST", path_of(export), params={**KEY, **given})
        in_body = {name: value for name, value in given.items() if name not in export_type.in_query}
        query = {name: value for name, value in given.items() if name in export_type.in_query}
        return self.request("POST", path_of(export), params={**KEY, **query}, data=in_body)

    def started(self, export: str, **parameters: Any) -> dict[str, str]:
        """Create a job, and return its ids and URLs."""
        response = self.create(export, parameters)
        assert response.status_code == 200, response.text
        result: dict[str, str] = response.json()["result"]
        return result

    def job_target(self, job: dict[str, str], what: str) -> str:
        """Return path and query of the status or the download, made from the ids."""
        ids = f"{job['workflowId']}/{quote(job['runId'], safe='')}"
        return f"{BASE}/reports/report/{ids}/{what}?companyKey=demo-company"

    def job(self, job: dict[str, str], what: str) -> requests.Response:
        """Request the status or the download."""
        return self.request("GET", self.job_target(job, what))

    def poll(self, job: dict[str, str]) -> tuple[str, str, str]:
        """Return runnerState, detail and downloadUrl from any form of the response."""
        result = self.job(job, "status").json()["result"]
        result = result[0] if isinstance(result, list) else result
        inner = result["result"]
        return inner["runnerState"], inner["detail"], result["jobInfo"]["downloadUrl"]

    def done(self, export: str, **parameters: Any) -> dict[str, str]:
        """Create a job, and poll until it has a downloadUrl."""
        job = self.started(export, **parameters)
        for _ in range(10):
            if self.poll(job)[2]:
                return job
        raise AssertionError(job)

    def link(self, job: dict[str, str]) -> str:
        """Return the signed link of a completed job."""
        response = self.job(job, "download")
        assert response.status_code == 307, response.text
        return response.headers["Location"]

    def fetch(self, link: str, **options: Any) -> requests.Response:
        """Download from the storage, without credentials."""
        return self.session.get(link, timeout=10, **options)

    def export(self, export: str, **parameters: Any) -> requests.Response:
        """Create, poll and download."""
        return self.fetch(self.link(self.done(export, **parameters)))

    def rows(self, export: str, **parameters: Any) -> list[dict[str, str | None]]:
        """Create, poll and download, and return the rows of the JSON."""
        rows: list[dict[str, str | None]] = self.export(export, **parameters).json()
        return rows


def path_of(export: str) -> str:
    """Return the path that creates an export."""
    marketing = "marketing/" if EXPORTS[export].marketing else ""
    return f"{BASE}/reports/report/{marketing}{export}"


def host_of(url: str) -> str:
    """Return host and port."""
    return urlsplit(url).netloc


def received(client: Client, link: str) -> bytes:
    """Return what arrives of a body before the connection breaks."""
    parts: list[bytes] = []
    try:
        with client.session.get(link, timeout=10, stream=True) as response:
            parts.extend(response.iter_content(1))
    except BROKEN:
        return b"".join(parts)
    raise AssertionError(len(parts))
