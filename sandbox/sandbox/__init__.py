"""The vendors' web APIs on loopback: to try the taps without an account, and to test them."""
