"""Tests of the Khoros sandbox on real sockets."""
