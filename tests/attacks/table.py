"""The table of all attacks."""

from __future__ import annotations

from tests.attacks.headers import HEADERS
from tests.attacks.inputs import FILES, PROCESS
from tests.attacks.parsers import PARSERS
from tests.attacks.paths import PATHS, STORAGE
from tests.attacks.shapes import SHAPES
from tests.attacks.sizes import SIZES
from tests.attacks.stores import STORES
from tests.attacks.texts import LOGS, SECRETS
from tests.attacks.times import TIMES

ATTACKS = [
    *SIZES,
    *TIMES,
    *HEADERS,
    *SHAPES,
    *PARSERS,
    *LOGS,
    *SECRETS,
    *PATHS,
    *STORAGE,
    *STORES,
    *FILES,
    *PROCESS,
]
KINDS = {
    "size": "Responses that are large, or unpack to something large",
    "time": "Servers and proxies that are slow",
    "progress": "Pages without end",
    "HTTP": "Headers and bodies that break HTTP",
    "Retry-After": "Pauses that a server asks for",
    "status": "Statuses that are not an answer",
    "shape": "JSON of another shape, with extreme numbers, dates and ids",
    "depth": "JSON nested too deeply",
    "parsers": "Content that makes a parser slow",
    "names": "Values that are used as names",
    "log": "Texts that control the terminal or flood the log",
    "secrets": "Servers that quote our credentials",
    "paths": "Ids and links that lead elsewhere",
    "storage": "Redirects of downloads",
    "store": "Stores of the raw data export",
    "files": "Settings, states and catalogs",
    "process": "A process without resources",
}
