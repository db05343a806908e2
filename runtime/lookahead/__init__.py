"""Whether decisions depend on what had not happened yet: the same setup again on data that hide the future."""
