"""The recorder in a system: where it listens, and how its rows come to disk."""
