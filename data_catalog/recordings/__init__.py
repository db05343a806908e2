"""Recorded websocket files as columns."""
