"""What the libraries under the kit would write into a log, and must not."""

from __future__ import annotations

import logging


def strip_queries_from_logs() -> None:
    """Have urllib3 log addresses without their query; to say so twice does no harm.

    At level DEBUG it logs the whole address of each request. A query can hold a key of the
    vendor's, a filter that is nobody's business, or the signature of a link that opens a file.
    """
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(without_query)


_LOGGERS = ("urllib3.connectionpool", "urllib3.poolmanager", "urllib3.connection")


def without_query(record: logging.LogRecord) -> bool:
    """A filter that keeps every record, and cuts its texts off behind an address's path."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            arg.partition("?")[0] if isinstance(arg, str) else arg for arg in record.args
        )
    return True
