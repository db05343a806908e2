"""Pure mathematics: numbers in, numbers out. No engine, clock, I/O or logging."""
