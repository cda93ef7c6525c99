"""Serve raw data exports as S3: with moto's server, which is in the extra ``s3``."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sandbox.kissmetrics.raw.export import RawExport

REGION = "us-east-1"
KEY, SECRET = "sandbox-key-id", "sandbox-secret-key"


@dataclass
class Served:
    """A running store; ``url`` is its address, ``client`` a client of AWS's library."""

    url: str
    client: Any  # of the library of AWS

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Write an object."""
        self.client.put_object(Bucket=bucket, Key=key, Body=body)


@contextmanager
def serving(buckets: Mapping[str, RawExport], prefix: str = "") -> Iterator[Served]:
    """Serve a bucket for each export until the block ends; ``prefix`` ends with a slash."""
    import botocore.session  # noqa: PLC0415  (an extra)
    from moto.server import ThreadedMotoServer  # noqa: PLC0415  (an extra)

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        url = "http://{}:{}".format(*server.get_host_and_port())
        client: Any = botocore.session.Session().create_client(
            "s3",
            endpoint_url=url,
            region_name=REGION,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )
        served = Served(url, client)
        for bucket, export in buckets.items():
            client.create_bucket(Bucket=bucket)
            for name, pieces in export.all_files():
                served.put(bucket, f"{prefix}{name}", b"".join(pieces))
        yield served
    finally:
        server.stop()
