"""Control of a sandbox in another process: its log and its faults over HTTP.

Requests to these routes are neither logged nor delayed, and no fault hits them.
"""

import json

from sandbox.exchange import Request, Response, json_response
from sandbox.fault_text import parse_fault
from sandbox.faults import Faults
from sandbox.requestlog import RequestLog

CONTROL_PREFIX = "/_sandbox/"


def control(request: Request, log: RequestLog, faults: Faults) -> Response:
    """Serve a control route; for any other path return a 404 that lists the routes."""
    match (request.method, request.path):
        case ("GET", "/_sandbox/requests"):
            return json_response(_summary(log))
        case ("DELETE", "/_sandbox/requests"):
            log.clear()
            return json_response(_summary(log))
        case ("POST", "/_sandbox/faults"):
            return _replace_faults(request.body, faults)
        case _:
            known = "GET or DELETE /_sandbox/requests, POST /_sandbox/faults"
            return json_response({"message": f"the control routes are {known}"}, 404)


def _summary(log: RequestLog) -> dict[str, object]:
    return {
        "count": log.count,
        "in_flight": log.in_flight,
        "max_in_flight": log.max_in_flight,
        "requests": [[request.method, request.target] for request in log.requests],
    }


def _replace_faults(body: bytes, faults: Faults) -> Response:
    """Replace all faults by those of a JSON list of fault texts; counting restarts."""
    try:
        texts = json.loads(body)
        if not isinstance(texts, list):
            return json_response({"message": "the body must be a JSON list of fault texts"}, 400)
        faults[:] = [parse_fault(str(text)) for text in texts]
    except ValueError as error:
        return json_response({"message": str(error)}, 400)
    return json_response({"faults": len(faults)})
