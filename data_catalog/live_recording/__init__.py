"""Public market streams of the exchange, recorded as they come."""
