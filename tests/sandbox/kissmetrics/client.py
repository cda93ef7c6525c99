"""A client for the tests, which only follows links."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import requests
from sandbox.kissmetrics import Addresses, Kissmetrics

from tests.sandbox.client import WithSession

DAY = date(2026, 3, 4)
HREF = "href"
V3_USER = ("demo@kissmetrics.example", "demo-password")


class Client(WithSession):
    """A client of both hosts that sends the token by default and does not follow redirects."""

    def __init__(self, api: Kissmetrics, at: Addresses) -> None:
        super().__init__()
        self.api = api
        self.at = at
        self.session.headers["Authorization"] = f"Bearer {api.token}"

    def request(self, method: str, url: str, **options: Any) -> requests.Response:
        """Send a request to a URL, or to a path of the first host."""
        if url.startswith("/"):
            url = self.at.core + url
        options = {"allow_redirects": False, "timeout": 10, **options}
        return self.session.request(method, url, **options)

    def get(self, url: str, **parameters: Any) -> requests.Response:
        """Send a GET request."""
        return self.request("GET", url, params=parameters)

    def pages(self, url: str, **parameters: Any) -> Iterator[Any]:
        """Yield the bodies of a list's pages, following next."""
        response = self.get(url, **parameters).json()
        yield response
        while following := links_of(response).get("next"):
            response = self.get(following).json()
            yield response

    def records(self, url: str, **parameters: Any) -> list[Any]:
        """Return a list's records without their links."""
        pages = self.pages(url, **parameters)
        return [without_links(record) for page in pages for record in page["data"]]

    def start(self, report_id: str, day: date = DAY) -> requests.Response:
        """Start a report for one day of its product."""
        start, end = self.api.data.day_window(report_id, day)
        return self.start_with(report_id, json={"start_date": start, "end_date": end})

    def start_with(self, report_id: str, **options: Any) -> requests.Response:
        """Start a report with another body."""
        reports = self.api.data.records("reports")
        product_id = next(one["product_id"] for one in reports if one["id"] == report_id)
        url = f"{self.at.query}/v2/products/{product_id}/reports/{report_id}/run"
        return self.request("POST", url, **options)

    def finish(self, started: requests.Response) -> requests.Response:
        """Poll until the status code is no longer 200."""
        while (status := self.get(started.headers["Location"])).status_code == 200:
            pass
        return status

    def results(self, report_id: str, day: date = DAY) -> str:
        """Run a report until it is completed, and return the URL of its results."""
        return self.finish(self.start(report_id, day)).headers["Location"]


Serve = Callable[..., Client]


def links_of(body: Any) -> dict[str, str]:
    """Return the links that are not templates, by rel."""
    return {one["rel"]: one[HREF] for one in body.get("links", ()) if not one["templated"]}


def without_links(record: Any) -> Any:
    if not isinstance(record, dict):
        return record
    return {key: value for key, value in record.items() if key != "links"}


def report_of(client: Client, report_type: str = "people_search_v2") -> str:
    """Return the id of the first report of a type."""
    reports = client.api.data.records("reports")
    return str(next(one["id"] for one in reports if one["report_type"] == report_type))


def request_v3(client: Client, method: str, path: str, **options: Any) -> Any:
    """Send a request to version 3; return the body of a 200, or the whole response."""
    response = client.request(method, f"{client.at.query}/v3{path}", **{"auth": V3_USER, **options})
    return response.json() if response.status_code == 200 else response
