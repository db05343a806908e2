"""The report of a parameter sweep: a verdict in plain words, and what it rests on."""
