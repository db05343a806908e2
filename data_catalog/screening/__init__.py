"""Which pairs of a catalog keep together: all pairs of its bars, tested."""
