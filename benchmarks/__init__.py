"""What is measured, and against what: each module prints Markdown, see ``make bench``."""
