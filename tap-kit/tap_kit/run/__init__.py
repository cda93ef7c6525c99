"""One run: settings, input files, progress, signals and the command line."""
