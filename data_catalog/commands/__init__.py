"""One module per command of `python -m data_catalog`."""
