"""The API's responses: one envelope around every result, with several content types."""

import json
from typing import Any
from urllib.parse import quote

from sandbox.exchange import JSON, Response
from sandbox.khoros.jobs import Job, Status
from sandbox.khoros.switches import Switches, for_export

REPORTS = "/api/public/reports/report"
STRAY_LINE = "Response for the teams of this company:\n"
TEXT = "text/plain;charset=UTF-8"


def result(value: object, switches: Switches, *, is_creation: bool = False) -> Response:
    """Return a result in the envelope, of which only PASS is documented."""
    envelope = {"status": "PASS", "request": None, "message": None, "result": value}
    text = json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))
    mixed = JSON if is_creation else TEXT
    content_type = mixed if switches.content_type == "mixed" else switches.content_type
    return Response(200, text.encode(), content_type)


def teams(value: object, switches: Switches) -> Response:
    """Return the teams, after a line that is not JSON if the switch is on."""
    response = result(value, switches)
    if not switches.has_stray_line:
        return response
    return Response(200, STRAY_LINE.encode() + response.body, TEXT)


def creation(job: Job, base: str, switches: Switches) -> Response:
    """Return the ids and URLs of a job in one of the documented forms."""
    export, key = job.export, switches.company_key
    access = f"companyKey={quote(key, safe='')}"
    value: Any = {"workflowId": job.workflow_id, "runId": job.run_id}
    if export not in switches.bare_creations:
        is_early = export in switches.early_download_urls
        value["downloadUrl"] = _url(job, base, "download", access) if is_early else ""
        value["statusUrl"] = _url(job, base, "status", access)
    if for_export(switches.creation_result, export, "object") == "list":
        value = [value]
    return result(value, switches, is_creation=True)


def status(job: Job, polled: Status, base: str, switches: Switches) -> Response:
    """Return the status of a job; its URLs have the job's token instead of the company key."""
    access = f"analyticsAccessToken={quote(job.token, safe='')}"
    is_failed = polled.state == "CLOSED" and polled.detail != "COMPLETED"
    inner = {
        "runnerState": polled.state,
        "reason": switches.failed_reason if is_failed else None,
        "detail": polled.detail,
        "currentCount": None,
        "totalCount": None,
        "lastAcknowledgeTime": None,
    }
    urls = {
        "workflowId": job.workflow_id,
        "runId": job.run_id,
        "downloadUrl": _url(job, base, "download", access) if polled.has_url else "",
        "statusUrl": _url(job, base, "status", access),
    }
    value = {"jobInfo": urls, "result": inner}
    form = switches.status_result
    is_list = form == "list" or (form == "documented" and not polled.has_url)
    return result([value] if is_list else value, switches)


def _url(job: Job, base: str, what: str, access: str) -> str:
    ids = f"{job.workflow_id}/{quote(job.run_id, safe='')}"
    return f"{base}{REPORTS}/{ids}/{what}?{access}"
