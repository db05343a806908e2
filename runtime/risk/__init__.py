"""The `risk:` section of a setup: its limits, the actors that hold them, the latch, and what is told of it."""
