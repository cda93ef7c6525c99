"""A reader of the sandbox: a plain one, which follows links and nothing else."""

from collections.abc import Iterator
from datetime import date
from types import TracebackType
from typing import Any

import requests
from sandbox.kissmetrics import Addresses, Kissmetrics
from typing_extensions import Self

DAY = date(2026, 3, 4)
HREF = "href"
V3_USER = ("demo@kissmetrics.example", "demo-password")


class Asker:
    """Asks both servers, with the token unless told otherwise, and follows no redirect."""

    def __init__(self, api: Kissmetrics, at: Addresses) -> None:
        self.api = api
        self.at = at
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {api.token}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.session.close()

    def ask(self, method: str, url: str, **options: Any) -> requests.Response:
        """Ask by full address, or by a path of the first server."""
        if url.startswith("/"):
            url = self.at.core + url
        options = {"allow_redirects": False, "timeout": 10, **options}
        return self.session.request(method, url, **options)

    def get(self, url: str, **parameters: Any) -> requests.Response:
        """Ask by GET."""
        return self.ask("GET", url, params=parameters)

    def pages(self, url: str, **parameters: Any) -> Iterator[Any]:
        """Give the bodies of a list's pages by following next."""
        answer = self.get(url, **parameters).json()
        yield answer
        while following := links_of(answer).get("next"):
            answer = self.get(following).json()
            yield answer

    def records(self, url: str, **parameters: Any) -> list[Any]:
        """Give a list's records without their links."""
        pages = self.pages(url, **parameters)
        return [without_links(record) for page in pages for record in page["data"]]

    def start(self, report_id: str, day: date = DAY) -> requests.Response:
        """Start a report for one day of its product."""
        start, end = self.api.data.day_window(report_id, day)
        return self.start_with(report_id, json={"start_date": start, "end_date": end})

    def start_with(self, report_id: str, **options: Any) -> requests.Response:
        """Start a report with a body of one's own."""
        reports = self.api.data.records("reports")
        product_id = next(one["product_id"] for one in reports if one["id"] == report_id)
        url = f"{self.at.query}/v2/products/{product_id}/reports/{report_id}/run"
        return self.ask("POST", url, **options)

    def finish(self, started: requests.Response) -> requests.Response:
        """Poll until the status is no longer 200."""
        while (status := self.get(started.headers["Location"])).status_code == 200:
            pass
        return status

    def results(self, report_id: str, day: date = DAY) -> str:
        """Run a report to its end; give the address of its results."""
        return self.finish(self.start(report_id, day)).headers["Location"]


def links_of(body: Any) -> dict[str, str]:
    """Give the links that can be followed as they are, by rel."""
    return {one["rel"]: one[HREF] for one in body.get("links", ()) if not one["templated"]}


def without_links(record: Any) -> Any:
    if not isinstance(record, dict):
        return record
    return {key: value for key, value in record.items() if key != "links"}


def report_of(asker: Asker, report_type: str = "people_search_v2") -> str:
    """Give the first report of a type."""
    reports = asker.api.data.records("reports")
    return str(next(one["id"] for one in reports if one["report_type"] == report_type))


def ask_v3(asker: Asker, method: str, path: str, **options: Any) -> Any:
    """Ask version 3; give the body of what went well, and the answer to anything else."""
    answer = asker.ask(method, f"{asker.at.query}/v3{path}", **{"auth": V3_USER, **options})
    return answer.json() if answer.status_code == 200 else answer
