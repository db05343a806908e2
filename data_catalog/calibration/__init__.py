"""What a catalog says of a market: volatility, flow, costs."""
