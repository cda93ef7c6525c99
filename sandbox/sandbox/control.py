"""Control of a sandbox in another process: its log and its faults over HTTP.

These routes are neither logged nor delayed nor faulted.
"""

import json

from sandbox.exchange import Request, Response, json_response
from sandbox.fault_text import parse_fault
from sandbox.faults import Faults
from sandbox.requestlog import RequestLog

CONTROL_PREFIX = "/_sandbox/"


def control(request: Request, log: RequestLog, faults: Faults) -> Response:
    """Serve a control route; anything unknown is a 404 that names the known ones."""
    match (request.method, request.path):
        case ("GET", "/_sandbox/requests"):
            return json_response(_seen(log))
        case ("DELETE", "/_sandbox/requests"):
            log.clear()
            return json_response(_seen(log))
        case ("POST", "/_sandbox/faults"):
            return _replace_faults(request.body, faults)
        case _:
            known = "GET or DELETE /_sandbox/requests, POST /_sandbox/faults"
            return json_response({"message": f"the control routes are {known}"}, 404)


def _seen(log: RequestLog) -> dict[str, object]:
    return {
        "count": log.count,
        "in_flight": log.in_flight,
        "max_in_flight": log.max_in_flight,
        "requests": [[seen.method, seen.target] for seen in log.requests],
    }


def _replace_faults(body: bytes, faults: Faults) -> Response:
    """Take a JSON list of fault texts in place of the faults there are; counting starts anew."""
    try:
        texts = json.loads(body)
        if not isinstance(texts, list):
            return json_response({"message": "the body must be a JSON list of fault texts"}, 400)
        faults[:] = [parse_fault(str(text)) for text in texts]
    except ValueError as error:
        return json_response({"message": str(error)}, 400)
    return json_response({"faults": len(faults)})
