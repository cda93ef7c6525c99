"""The maximum speed of the server: read all pages from a raw socket and do nothing with them."""

import json
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit


def main() -> None:
    """Read all pages and print their number."""
    address = urlsplit(json.loads(Path(sys.argv[1]).read_text("utf-8"))["api_url"])
    pages = int(address.path.strip("/"))
    into = bytearray(1 << 20)
    with socket.create_connection((address.hostname, address.port)) as connection:
        for number in range(1, pages + 1):
            request = f"GET {address.path}/records?page={number} HTTP/1.1\r\n\r\n"
            connection.sendall(request.encode())
            head, _, body = connection.recv(1 << 20).partition(b"\r\n\r\n")
            left = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0]) - len(body)
            while left:
                left -= connection.recv_into(into)
    print(pages)


if __name__ == "__main__":
    main()
