"""Settings, states and catalogs that are wrong: one clear message each, for every tap."""
