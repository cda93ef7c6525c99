"""The targets that write files, in a folder or in a bucket."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from demo.warehouse import Warehouse
from tests.warehouses.target import Target, bucket_of, lines, records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.warehouses.target import Place, Rows


class Jsonl(Target):
    """Lines in files, from which DuckDB reads the newest row of each key, as in the demo."""

    plugin, package, executable = "target-jsonl", "target-jsonl==0.1.4", "target-jsonl"

    @override
    def values(self, place: Place) -> dict[str, str]:
        return {"destination_path": str(place.folder)}

    @override
    def rows(self, place: Place, streams: Sequence[str]) -> dict[str, Rows]:
        return newest_rows(place, streams)


class SingerJsonl(Target):
    """A compressed file of Singer messages for each stream and run."""

    plugin = executable = "target-singer-jsonl"
    package = "target-singer-jsonl==0.1.0"
    settings: ClassVar[Mapping[str, str]] = {"destination": "string", "local.folder": "string"}

    @override
    def values(self, place: Place) -> dict[str, str]:
        return {"destination": "local", "local.folder": str(place.folder / "messages")}

    @override
    def rows(self, place: Place, streams: Sequence[str]) -> dict[str, Rows]:
        files = sorted((place.folder / "messages").glob("*/*.singer.gz"))
        texts = [gzip.decompress(file.read_bytes()).decode() for file in files]
        messages = [json.loads(line) for text in texts for line in _lines(text)]
        found = (m for m in messages if m["type"] == "RECORD")
        _write_lines(place, ((m["stream"], json.dumps(m["record"])) for m in found))
        return newest_rows(place, streams)


class Core(Target):
    """Lines in files, a new one for each stream and run."""

    plugin = executable = "target-core"
    package = "target-core==0.1.0"
    settings: ClassVar[Mapping[str, str]] = {"work_dir": "string", "path_template": "string"}

    @override
    def values(self, place: Place) -> dict[str, str]:
        return {
            "work_dir": str(place.folder / "runs"),
            "path_template": "{stream}/{date_time:%Y%m%dT%H%M%S}.jsonl",
        }

    @override
    def rows(self, place: Place, streams: Sequence[str]) -> dict[str, Rows]:
        files = sorted((place.folder / "runs").glob("*/*.jsonl"))
        texts = [(file.parent.name, file.read_text(encoding="utf-8")) for file in files]
        _write_lines(place, ((stream, line) for stream, text in texts for line in _lines(text)))
        return newest_rows(place, streams)


class S3Jsonl(Target):
    """Lines in a bucket, a new object for each stream and run."""

    plugin = executable = "target-s3-jsonl"
    package = "target-s3-jsonl==2.0.1"
    settings: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(
            ("aws_access_key_id", "s3_bucket", "aws_endpoint_url", "path_template", "work_dir"),
            "string",
        ),
        "aws_secret_access_key": "password",
    }
    needs = frozenset({"s3"})

    @override
    def values(self, place: Place) -> dict[str, str]:
        bucket = bucket_of(place)
        return {
            "aws_access_key_id": "sandbox",
            "aws_secret_access_key": "sandbox",
            "s3_bucket": bucket.name,
            "aws_endpoint_url": bucket.endpoint,
            "path_template": f"{place.name}/{{stream}}/{{date_time:%Y%m%dT%H%M%S}}.jsonl",
            "work_dir": str(place.folder / "work"),
        }

    @override
    def rows(self, place: Place, streams: Sequence[str]) -> dict[str, Rows]:
        return _newest_of_bucket(place, streams)


class ScalefreeS3Json(S3Jsonl):
    """One JSON document of Singer messages in a bucket for each stream and run."""

    plugin = executable = "target-s3-json"
    package = "scalefree-target-s3-json==0.2"
    settings: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(
            ("aws_access_key_id", "s3_bucket", "aws_endpoint_url", "naming_convention", "temp_dir"),
            "string",
        ),
        "aws_secret_access_key": "password",
    }

    @override
    def values(self, place: Place) -> dict[str, str]:
        values = super().values(place)
        del values["path_template"]
        values["naming_convention"] = f"{place.name}/{{stream}}/{{timestamp}}.json"
        return {**values, "temp_dir": values.pop("work_dir")}

    @override
    def rows(self, place: Place, streams: Sequence[str]) -> dict[str, Rows]:
        texts = bucket_of(place).objects(f"{place.name}/")
        messages = [message for _, text in texts for message in json.loads(text)["data"]]
        _write_lines(place, ((m["stream"], json.dumps(m["record"])) for m in messages))
        return newest_rows(place, streams)


class PlinxoreS3(Target):
    """The same with a target on the Meltano SDK: an object for each batch."""

    plugin = executable = "target-s3"
    package = "plinxore-target-s3==0.1.7"
    settings: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(
            (
                *("format.format_type", "compression", "prefix", "append_date_to_filename_grain"),
                *("cloud_provider.cloud_provider_type", "cloud_provider.aws.aws_access_key_id"),
                *("cloud_provider.aws.aws_region", "cloud_provider.aws.aws_bucket"),
                "cloud_provider.aws.aws_endpoint_override",
            ),
            "string",
        ),
        "cloud_provider.aws.aws_secret_access_key": "password",
        "append_date_to_prefix": "boolean",
    }
    needs = frozenset({"s3"})

    @override
    def values(self, place: Place) -> dict[str, str]:
        bucket = bucket_of(place)
        aws = {
            "aws_access_key_id": "sandbox",
            "aws_secret_access_key": "sandbox",
            "aws_region": "us-east-1",
            "aws_bucket": bucket.name,
            "aws_endpoint_override": bucket.endpoint,
        }
        return {
            "format.format_type": "jsonl",
            "compression": "none",
            "prefix": place.name,
            "append_date_to_prefix": "false",
            "append_date_to_filename_grain": "second",
            "cloud_provider.cloud_provider_type": "aws",
            **{f"cloud_provider.aws.{name}": value for name, value in aws.items()},
        }

    @override
    def rows(self, place: Place, streams: Sequence[str]) -> dict[str, Rows]:
        return _newest_of_bucket(place, streams)


class MeltanolabsCsv(Target):
    """A file a stream, which each run replaces."""

    plugin, executable = "target-csv", "target-csv"
    package = "meltanolabs-target-csv==0.5.0"
    settings: ClassVar[Mapping[str, str]] = {
        "output_path": "string",
        "file_naming_scheme": "string",
    }
    is_text = True

    @override
    def values(self, place: Place) -> dict[str, str]:
        return {"output_path": str(place.folder)}

    @override
    def rows(self, place: Place, streams: Sequence[str]) -> dict[str, Rows]:
        files = {path.stem: path for path in place.folder.glob("*.csv")}
        return {
            name: lines(files[name].read_text(encoding="utf-8"))
            for name in streams
            if name in files
        }


class PipelinewiseS3Csv(Target):
    """Files in a bucket, new ones with each run."""

    plugin, executable = "target-s3-csv", "target-s3-csv"
    package = "pipelinewise-target-s3-csv==2.0.0"
    settings: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(
            ("aws_access_key_id", "s3_bucket", "s3_key_prefix", "aws_endpoint_url"), "string"
        ),
        "aws_secret_access_key": "password",
    }
    is_text = flattens = True
    needs = frozenset({"s3"})

    @override
    def values(self, place: Place) -> dict[str, str]:
        bucket = bucket_of(place)
        return {
            "aws_access_key_id": "sandbox",
            "aws_secret_access_key": "sandbox",
            "s3_bucket": bucket.name,
            "s3_key_prefix": f"{place.name}/",
            "aws_endpoint_url": bucket.endpoint,
        }

    @override
    def rows(self, place: Place, streams: Sequence[str]) -> dict[str, Rows]:
        found: dict[str, Rows] = {}
        for key, text in bucket_of(place).objects(f"{place.name}/"):
            stream = key.rpartition("/")[2].rpartition("-")[0]
            if stream in streams:
                found.setdefault(stream, []).extend(lines(text))
        return found


def newest_rows(place: Place, streams: Sequence[str]) -> dict[str, Rows]:
    """Return the newest row of each key from a place's JSONL files, as the demo's views do."""
    account = place.account
    settings = {**account.vendor.stream_settings, **account.extra()}
    database = Warehouse(place.folder, account.tap, settings).db
    here = {path.stem for path in place.folder.glob("*.jsonl")}
    return {name: records(database, f'FROM "{name}"') for name in streams if name in here}


def _newest_of_bucket(place: Place, streams: Sequence[str]) -> dict[str, Rows]:
    """Return the newest row of each key from the objects ``<place>/<stream>/<time>.jsonl``."""
    objects = bucket_of(place).objects(f"{place.name}/")
    pairs = ((key.split("/")[1], line) for key, text in objects for line in _lines(text))
    _write_lines(place, pairs)
    return newest_rows(place, streams)


def _lines(text: str) -> list[str]:
    """Return the lines of a text; a separator such as U+2028 may be part of a line of JSON."""
    return text.rstrip("\n").split("\n")


def _write_lines(place: Place, pairs: Iterable[tuple[str, str]]) -> None:
    """Write one JSONL file for each stream, from pairs of stream and line, the newest last."""
    found: dict[str, list[str]] = {}
    for stream, line in pairs:
        found.setdefault(stream, []).append(line)
    for stream, texts in found.items():
        content = "".join(f"{text}\n" for text in texts)
        (place.folder / f"{stream}.jsonl").write_text(content, encoding="utf-8")
