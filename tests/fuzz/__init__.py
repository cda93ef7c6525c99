"""Fuzzing of the functions at the boundary, with a corpus of inputs that found something."""
