"""Backtests spread over processes, of this machine or of a cluster."""
