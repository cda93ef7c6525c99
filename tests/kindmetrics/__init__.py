"""tap-kindmetrics against the sandbox, over real sockets."""
