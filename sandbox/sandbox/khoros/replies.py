"""The bodies of the API: one envelope around everything, whatever its content type."""

import json
from typing import Any
from urllib.parse import quote

from sandbox.exchange import Response
from sandbox.khoros.jobs import Job, Status
from sandbox.khoros.switches import Switches, for_export

REPORTS = "/api/public/reports/report"
STRAY_LINE = "Response for the teams of this company:\n"
TEXT = "text/plain;charset=UTF-8"


def envelope(result: object) -> dict[str, object]:
    """Put a result into the envelope; only PASS is documented."""
    return {"status": "PASS", "request": None, "message": None, "result": result}


def reply(result: object, switches: Switches, *, is_creation: bool = False) -> Response:
    """Response with a result."""
    text = json.dumps(envelope(result), ensure_ascii=False, separators=(",", ":"))
    mixed = "application/json" if is_creation else TEXT
    content_type = mixed if switches.content_type == "mixed" else switches.content_type
    return Response(200, text.encode(), content_type)


def teams(result: object, switches: Switches) -> Response:
    """Response with the teams, after a line that is no JSON when the switch says so."""
    answer = reply(result, switches)
    if not switches.has_stray_line:
        return answer
    return Response(200, STRAY_LINE.encode() + answer.body, TEXT)


def creation(job: Job, base: str, switches: Switches) -> Response:
    """Response a creation: where the job is, in one of the documented forms."""
    export, key = job.export, switches.company_key
    access = f"companyKey={quote(key, safe='')}"
    result: Any = {"workflowId": job.workflow_id, "runId": job.run_id}
    if export not in switches.bare_creations:
        is_early = export in switches.early_download_urls
        result["downloadUrl"] = _url(job, base, "download", access) if is_early else ""
        result["statusUrl"] = _url(job, base, "status", access)
    if for_export(switches.creation_result, export, "object") == "list":
        result = [result]
    return reply(result, switches, is_creation=True)


def status(job: Job, told: Status, base: str, switches: Switches) -> Response:
    """Response a poll; the URLs carry the job's own token in the place of the company key."""
    access = f"analyticsAccessToken={quote(job.token, safe='')}"
    is_failed = told.state == "CLOSED" and told.detail != "COMPLETED"
    inner = {
        "runnerState": told.state,
        "reason": switches.failed_reason if is_failed else None,
        "detail": told.detail,
        "currentCount": None,
        "totalCount": None,
        "lastAcknowledgeTime": None,
    }
    urls = {
        "workflowId": job.workflow_id,
        "runId": job.run_id,
        "downloadUrl": _url(job, base, "download", access) if told.has_url else "",
        "statusUrl": _url(job, base, "status", access),
    }
    result = {"jobInfo": urls, "result": inner}
    form = switches.status_result
    is_list = form == "list" or (form == "documented" and not told.has_url)
    return reply([result] if is_list else result, switches)


def _url(job: Job, base: str, what: str, access: str) -> str:
    ids = f"{job.workflow_id}/{quote(job.run_id, safe='')}"
    return f"{base}{REPORTS}/{ids}/{what}?{access}"
