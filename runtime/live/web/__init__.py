"""The live page: what a run is doing, for a browser, for programs (/state) and for Prometheus (/metrics)."""
