"""A setup file is read, changed by `--set`, parsed and checked."""
