"""Lists of records, page by page, in both versions of the API."""
