"""Invalid settings, states and catalogs: one clear message each, for every tap."""
