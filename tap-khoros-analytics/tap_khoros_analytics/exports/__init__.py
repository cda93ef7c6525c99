"""The exports: definitions, jobs, columns, and rows that are written while they arrive."""
