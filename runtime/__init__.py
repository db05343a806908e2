"""A setup file becomes a running Nautilus system."""
