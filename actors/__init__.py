"""Thin Nautilus actors: watch, record, halt."""
