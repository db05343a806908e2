"""A local Binance: spot and USD-M futures as Nautilus's adapter speaks them, with faults on request."""
