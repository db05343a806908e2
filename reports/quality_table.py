"""What the gate found in the data, as a card of the page and a line of the terminal."""

from collections.abc import Mapping

from reports import format as fmt
from reports.figures import Summary
from reports.markup import Cell, card, items, table

_COLUMNS = (
    ("rows", "Rows", "Rows in the period."),
    ("gaps", "Gaps", "Places where trade ids are missing."),
    ("missing", "Missing", "Trades that are missing there."),
    ("duplicates", "Twice", "Rows that repeat the row before."),
    ("backwards", "Back", "Rows earlier than the row before."),
    ("crossed", "Crossed", "Quotes with the bid above the ask."),
    ("locked", "Locked", "Quotes with bid and ask at one price."),
    ("nonpositive", "No price", "Quotes and trades with a price of 0 or less."),
    ("spikes", "Alone", "Quotes far from the one before and from the one after."),
    ("longest_silence_secs", "Longest silence, s", "The longest stretch without a row."),
)
_VERDICTS = {
    "sound": "Nothing was found that a figure would have to fear.",
    "warnings": "What was found is said below; the run was made with it.",
}


def quality_line(summary: Summary) -> str:
    """Return the verdict of the gate in words; nothing where there was no gate."""
    reason = summary.text("data_quality.accepted_because")
    if reason:
        return f"These data were refused, and accepted because: {reason}"
    return _VERDICTS.get(summary.text("data_quality.verdict"), "")


def quality_card(summary: Summary) -> str:
    """Return the card of the data's quality; nothing where there was no gate."""
    rows = [row for row in summary.entries("data_quality.series") if isinstance(row, Mapping)]
    if not rows:
        return ""
    head = [Cell("", style="text"), *(Cell(label, tip) for _, label, tip in _COLUMNS)]
    body = [
        [
            Cell(f"{row.get('series')}{' (rebuilt)' if row.get('reconstructed') else ''}", style="text"),
            *(_cell(key, row.get(key)) for key, _, _ in _COLUMNS),
        ]
        for row in rows
    ]
    found = [
        f"{one.get('level')}: {one.get('series')}: {one.get('text')}"
        for one in summary.entries("data_quality.findings")
        if isinstance(one, Mapping)
    ]
    return card("Quality of the data", table(head, body) + (items(found) if found else ""), small=quality_line(summary))


def _cell(key: str, value: object) -> Cell:
    if not isinstance(value, int | float):
        return Cell("", "Not known for this kind of data.")
    return Cell(fmt.number(value, 1) if key == "longest_silence_secs" else fmt.count(value))
