"""The Khoros sandbox over real sockets."""
