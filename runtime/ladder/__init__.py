"""One setup under several assumptions: how much of what it earns is the market's, and how much the assumption's."""
