"""The example tap, against the API that it is written for."""
