"""A server that uses very little time: it builds all bodies before the first request arrives.

    python -m benchmarks.server --pages 500 [--latency-ms 100]

prints its address and serves until its standard input is closed:

    GET /{pages}/records?page=N[&partition=P]
        {"page": N, "pages": pages, "next_page": N + 1 or null, "data": [1,000 rows]}

``pages`` is the number of pages of each partition, so that a warm-up can request a short list from
the same server. Pages count from 1. The rows of a partition follow those of the previous one.
"""

from __future__ import annotations

import argparse
import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from benchmarks import rows

Body = Sequence[bytes]  # the parts of a body, to avoid copying them together
Respond = Callable[[str], Body]  # takes the target of a request: path and query


def paged(bodies: Sequence[bytes]) -> Respond:
    """Return a function that responds with these pages, partition after partition."""

    def respond(target: str) -> Body:
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        pages = int(parts.path.split("/")[1])
        number = int(query.get("page", ["1"])[0])
        partition = int(query.get("partition", ["0"])[0])
        following = number + 1 if number < pages else "null"
        head = f'{{"page":{number},"pages":{pages},"next_page":{following},"data":['
        return head.encode(), bodies[partition * pages + number - 1], b"]}"

    return respond


def serve(respond: Respond, latency_s: float = 0.0) -> None:
    """Serve on a free loopback port, with a thread per connection, until standard input closes."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        threading.Thread(target=_accept, args=(listener, respond, latency_s), daemon=True).start()
        sys.stdin.read()


def _accept(listener: socket.socket, respond: Respond, latency_s: float) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(
            target=_respond_on, args=(connection, respond, latency_s), daemon=True
        ).start()


def _respond_on(connection: socket.socket, respond: Respond, latency_s: float) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, contextlib.suppress(ConnectionError):
        for target in _targets(connection):
            time.sleep(latency_s)
            parts = respond(target)
            head = (
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                f"Content-Length: {sum(map(len, parts))}\r\n\r\n"
            ).encode()
            for part in (head + parts[0], *parts[1:]):
                connection.sendall(part)


def _targets(connection: socket.socket) -> Iterator[str]:
    """Yield the targets of the requests on a connection; these requests have no bodies."""
    rest = b""
    while piece := connection.recv(1 << 16):
        rest += piece
        while b"\r\n\r\n" in rest:
            head, _, rest = rest.partition(b"\r\n\r\n")
            yield head.split(b" ", 2)[1].decode()


@contextmanager
def serving(*options: str) -> Iterator[str]:
    """Start the server in a separate process, and yield its address.

    Raises:
        RuntimeError: the server does not start.
    """
    command = [sys.executable, "-m", "benchmarks.server", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        address = process.stdout.readline().decode().strip() if process.stdout else ""
        try:
            if not address:
                msg = "the server of the benchmarks did not start"
                raise RuntimeError(msg)
            yield address
        finally:
            if process.stdin:
                process.stdin.close()


def main() -> None:
    """Serve with the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.server", description=__doc__)
    parser.add_argument("--pages", type=int, default=500, help="in all partitions together")
    parser.add_argument("--bodies", type=Path, help="a file with a page of other rows per line")
    parser.add_argument("--latency-ms", type=int, default=0, help="before each response")
    options = parser.parse_args()
    if options.bodies:
        bodies = options.bodies.read_bytes().splitlines()
    else:
        bodies = [rows.page(number) for number in range(options.pages)]
    serve(paged(bodies), options.latency_ms / 1000)


if __name__ == "__main__":
    main()
