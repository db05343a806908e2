"""What is fast, measured as ratios in one process; each prints JSON."""
