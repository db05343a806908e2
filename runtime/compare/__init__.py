"""A recorded run, replayed: with its own inputs to see whether it decides the same, and freely to see what fills."""
