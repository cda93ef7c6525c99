"""Kissmetrics' raw data export: a bucket of any size, as files or served as S3."""

from sandbox.kissmetrics.raw.export import RawExport, RawSizes

__all__ = ["RawExport", "RawSizes"]
