"""A setup trades live: preflight, the node, what watches over it, and how it ends."""
