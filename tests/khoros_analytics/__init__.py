"""tap-khoros-analytics against its sandbox."""
