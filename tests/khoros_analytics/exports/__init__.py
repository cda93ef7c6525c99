"""The exports of tap-khoros-analytics."""
