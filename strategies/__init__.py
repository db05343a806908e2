"""Thin Nautilus strategies: events in, orders out."""
