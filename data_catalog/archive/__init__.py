"""Binance's public archive: what it has, how it is fetched, and its files as columns."""
