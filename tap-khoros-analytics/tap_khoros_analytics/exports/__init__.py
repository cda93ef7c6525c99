"""The exports: parameters, jobs, columns, and rows as they arrive."""
