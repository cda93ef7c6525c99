"""The kit's own tests: each module alone, then the flow as a whole."""
