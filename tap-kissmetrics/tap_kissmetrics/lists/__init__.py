"""Lists of records and their pages, in every version of the API."""
