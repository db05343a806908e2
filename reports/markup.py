"""HTML from values: every text that comes from a file is escaped here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from reports.figures import Shown
from reports.format import MISSING, number, printable

MOST_ROWS_IN_FULL = 30


def text(value: object) -> str:
    """Return `value` as text that is safe in HTML, in element content and in quoted attributes alike."""
    return escape(printable(str(value)), quote=True)


def signed_class(sign: int) -> str:
    """Return the class that colours a gain or a loss."""
    return {1: "gain", -1: "loss"}.get(sign, "")


@dataclass(frozen=True, slots=True)
class Cell:
    """
    A cell of a table.

    Parameters
    ----------
    value : str
        Its text, not yet escaped.
    tip : str
        What is said when pointed at.
    style : str
        Its CSS classes.
    span : int
        How many columns it takes.

    """

    value: str
    tip: str = ""
    style: str = ""
    span: int = 1


def signed_cell(value: float | None, decimals: int, why: str = "") -> Cell:
    """Return a gain or a loss in its colour, or "—" with the reason."""
    if value is None:
        return Cell(MISSING, why)
    return Cell(number(value, decimals, signed=True), style=signed_class((value > 0) - (value < 0)))


def figure_cell(shown: Shown) -> Cell:
    """Return a figure as a cell, a gain or a loss in its colour, with the reason where it is missing."""
    return Cell(shown.text, shown.why, signed_class(shown.sign))


def table(head: Sequence[Cell], rows: Iterable[Sequence[Cell]]) -> str:
    """Return a table that scrolls inside its card: sideways where it is wide, up and down where it is long."""
    top = "".join(_cell("th", cell) for cell in head)
    lines = [f"<tr>{''.join(_cell('td', cell) for cell in row)}</tr>" for row in rows]
    body, size = "\n".join(lines), " long" if len(lines) > MOST_ROWS_IN_FULL else ""
    return f'<div class="scroll{size}"><table><thead><tr>{top}</tr></thead><tbody>\n{body}\n</tbody></table></div>'


def _cell(tag: str, cell: Cell) -> str:
    style = f' class="{text(cell.style)}"' if cell.style else ""
    tip = f' title="{text(cell.tip)}"' if cell.tip else ""
    span = f' colspan="{cell.span}"' if cell.span > 1 else ""
    return f"<{tag}{style}{span}{tip}>{text(cell.value)}</{tag}>"


def tile(shown: Shown) -> str:
    """Return a headline tile: label, value with its unit, and why there is none."""
    value, _, unit = shown.text.partition(" ")
    note = f'<p class="note">{text(shown.why)}</p>' if shown.why else ""
    value_line = f'{text(value)} <span class="unit">{text(unit)}</span>'
    return (
        f'<div class="tile" title="{text(_tip(shown))}"><p class="label">{text(shown.label)}</p>'
        f'<p class="value {signed_class(shown.sign)}">{value_line}</p>{note}</div>'
    )


def pairs(figures: Iterable[Shown]) -> str:
    """Return figures as a grid of small label and value pairs."""
    items = "\n".join(
        f'<div title="{text(_tip(shown))}"><dt>{text(shown.label)}</dt><dd>{text(shown.text)}'
        f"{_note(shown.why)}</dd></div>"
        for shown in figures
    )
    return f'<dl class="pairs">{items}</dl>'


def _note(why: str) -> str:
    return f' <span class="note">{text(why)}</span>' if why else ""


def _tip(shown: Shown) -> str:
    return f"{shown.definition} Not known here: {shown.why}." if shown.why else shown.definition


def masthead(kind: str, title: str, lead: str, facts: Mapping[str, str]) -> str:
    """Return the top of a page: what kind of page it is, of what, and the facts that are known."""
    listed = "".join(
        f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in facts.items() if value
    )
    line = f'<p class="lead">{text(lead)}</p>' if lead else ""
    return (
        f'<header><p class="eyebrow">Ballast · {text(kind)}</p><h1>{text(title)}</h1>{line}'
        f'<dl class="facts">{listed}</dl></header>'
    )


def banner(style: str, title: str, content: str) -> str:
    """Return a banner of a style; `content` is HTML already."""
    role = ' role="alert"' if style == "loud" else ""
    return f'<div class="banner {style}"{role}><strong>{text(title)}</strong>{content}</div>'


def card(title: str, content: str, *, small: str = "") -> str:
    """Return a card with a heading, a small line under it, and content that is HTML already."""
    line = f'<p class="small">{text(small)}</p>' if small else ""
    return f'<section class="card"><h3>{text(title)}</h3>{line}{content}</section>'


def groups(named: Mapping[str, Sequence[str]]) -> str:
    """Return groups of cards under their headings, with links to them on top; empty cards and groups are left out."""
    full = {name: "\n".join(filter(None, cards)) for name, cards in named.items() if any(cards)}
    links = "".join(f'<a href="#part-{n}">{text(name)}</a>' for n, name in enumerate(full))
    parts = "\n".join(
        f'<section class="part" id="part-{n}"><h2>{text(name)}</h2>{cards}</section>'
        for n, (name, cards) in enumerate(full.items())
    )
    return f"<nav>{links}</nav>\n{parts}"


def collapsible(title: str, content: str) -> str:
    """Return a closed card that opens on a click; `content` is HTML already."""
    return f'<details class="card"><summary>{text(title)}</summary>{content}</details>'


def items(texts: Iterable[str]) -> str:
    """Return a list of texts."""
    return f"<ul>{''.join(f'<li>{text(item)}</li>' for item in texts)}</ul>"
