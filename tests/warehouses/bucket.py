"""A local S3: moto's server, in its own environment."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

MOTO = "moto[s3,server]==5.2.5"
NAME = "warehouse"
START_S = 120.0
# moto requires an Authorization header for objects, and does not verify it.
AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=anybody/20260101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=none"
)
S3 = "{http://s3.amazonaws.com/doc/2006-03-01/}"


@dataclass(frozen=True)
class Bucket:
    """A bucket; ``endpoint`` is the server's address."""

    endpoint: str
    name: str = NAME

    def objects(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Yield key and text of every object with a prefix, ordered by key."""
        listing = _read(f"{self.endpoint}/{self.name}?list-type=2&prefix={quote(prefix)}")
        for key in ET.fromstring(listing).iter(f"{S3}Key"):  # noqa: S314 (a local server)
            yield str(key.text), _read(f"{self.endpoint}/{self.name}/{quote(str(key.text))}")


@contextlib.contextmanager
def bucket_served() -> Iterator[Bucket]:
    """Serve an empty bucket until the block ends."""
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [uv, "tool", "run", "--from", MOTO, "moto_server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            bucket = Bucket(f"http://127.0.0.1:{port}")
            _create(bucket)
            yield bucket
        finally:
            process.terminate()


def _create(bucket: Bucket) -> None:
    deadline = time.monotonic() + START_S
    while not _is_created(bucket):
        if time.monotonic() > deadline:
            msg = "moto's server does not respond"
            raise TimeoutError(msg)
        time.sleep(0.1)


def _is_created(bucket: Bucket) -> bool:
    request = urllib.request.Request(f"{bucket.endpoint}/{bucket.name}", method="PUT")  # noqa: S310 (loopback)
    try:
        urllib.request.urlopen(request).close()  # noqa: S310
    except OSError:
        return False
    return True


def _read(url: str) -> str:
    request = urllib.request.Request(url, headers={"Authorization": AUTHORIZATION})  # noqa: S310 (loopback)
    with urllib.request.urlopen(request) as response:  # noqa: S310
        text: str = response.read().decode()
        return text
