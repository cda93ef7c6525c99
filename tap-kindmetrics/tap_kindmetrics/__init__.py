"""Singer tap for Kindmetrics web analytics."""
