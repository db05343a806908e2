"""
Draw the pictures of docs/market-making.md from what the makers really compute.

Run it with `uv run python docs/pictures/draw.py`: it writes the SVG files beside itself. The same code draws the same
bytes; a test compares them with the files.
"""

import importlib
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULES = ("of_models", "of_estimates", "of_quotes", "of_orders")
"""Each has a function `pictures` that returns SVG by name."""


def draw() -> dict[str, str]:
    """Return every picture, as SVG by the name of its file."""
    for folder in (HERE.parents[1], HERE):  # the project, and these modules
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    found: dict[str, str] = {}
    for module in MODULES:
        found |= {f"{name}.svg": text for name, text in importlib.import_module(module).pictures().items()}
    return found


def main() -> None:
    """Write every picture."""
    for name, text in draw().items():
        (HERE / name).write_text(text, encoding="utf-8")
        print(f"{name}  {len(text.encode()):,} bytes")


if __name__ == "__main__":
    main()
