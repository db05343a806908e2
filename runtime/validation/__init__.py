"""What a search found is tried where it did not look, and held against luck."""
