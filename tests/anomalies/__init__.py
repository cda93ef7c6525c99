"""Anomalies of the vendors and of input files, on fakes that share no code with the sandbox.

The fakes are written from ``docs/reference``. Each anomaly is a row of a table in
``docs/faults.md``.
"""
