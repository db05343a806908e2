"""Quotes where none were recorded, from trades or bars."""
