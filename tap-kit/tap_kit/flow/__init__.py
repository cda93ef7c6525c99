"""The flow of a run: windows, tasks, the ordered pipeline and bookmarks."""
