"""Tests of tap-kissmetrics, against the sandbox on real sockets."""
