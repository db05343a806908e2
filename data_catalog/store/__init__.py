"""The Parquet catalog: columns in, all or nothing, and the engine's objects out."""
