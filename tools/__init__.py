"""The page makers and mutation testing: what ``make`` runs and the tests may import."""
