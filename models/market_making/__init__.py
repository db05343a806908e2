"""Quoting formulas and the arithmetic of quotes, in ticks and lots."""
