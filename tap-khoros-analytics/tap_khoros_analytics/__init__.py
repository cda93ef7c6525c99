"""Singer tap for the Khoros Care Analytics Reports API."""
