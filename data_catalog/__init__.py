"""Market data in: download, parse, generate, check, and write to a Parquet catalog."""
