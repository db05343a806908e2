"""Pairs that move together: tests, hedge ratios, mean reversion, thresholds. All on logarithms of prices."""
