"""The tests of the kit: each module alone, then whole runs."""
