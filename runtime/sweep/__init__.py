"""Many backtests of one setup, with other values each: a file says which, a study remembers them."""
