"""Drills: a setup is replayed with a fault, to see which control answers, how soon, and what closing costs."""
