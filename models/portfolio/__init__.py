"""Portfolios: what weights to hold, and when and how far to trade back to them."""
