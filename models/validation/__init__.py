"""How much of a search's winner is luck: Sharpe tests, overfitting, splits, plateaus. Numbers in, numbers out."""
