"""
Rows of an archived CSV file, zipped or not, as Arrow tables of bounded size.

Decimal numbers become exact int64 counts of 10^-decimals; nothing passes through a float. Every table carries a
`line` column, the line of each row in the CSV counted from 1, so that whoever finds a row that makes no sense can
name it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from bad_input import BadInput
from data_catalog.archive.blocks import blocks, count_lines

# Wide enough for a number with needless trailing zeros, such as a volume written with eight decimals.
_DECIMAL_DIGITS = 38
_NUMBER = re.compile(rb"\s*[-+]?[0-9.]")
_ROW_IN_MESSAGE = re.compile(r"Row #(\d+)")
_COLUMN_IN_MESSAGE = re.compile(r"column #(\d+)")


@dataclass(frozen=True, slots=True)
class Field:
    """
    A column that is read.

    Parameters
    ----------
    name : str
        Its name in the tables.
    position : int
        Where it stands in a file without a header row, counted from 0.
    headers : sequence of str
        What it is called in header rows.
    decimals : int, optional
        It is read as a count of 10^-decimals; without, it is a whole number.
    flag : bool
        It is `True` or `False`, in any case.

    """

    name: str
    position: int
    headers: Sequence[str]
    decimals: int | None = None
    flag: bool = False

    @property
    def arrow_type(self) -> pa.DataType:
        """The type as which pyarrow reads the column."""
        if self.flag:
            return pa.bool_()
        return pa.int64() if self.decimals is None else pa.decimal128(_DECIMAL_DIGITS, self.decimals)

    @property
    def expected(self) -> str:
        """What stands in this column, in words."""
        if self.flag:
            return "true or false"
        return "a whole number" if self.decimals is None else f"a number with at most {self.decimals} decimals"


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """The columns of one kind of archive file; `widths` are the possible numbers of columns."""

    label: str
    widths: Sequence[int]
    fields: Sequence[Field]


@dataclass(frozen=True, slots=True)
class _Layout:
    """What stands where in one file; `names` has every column, `fields` the ones that are read."""

    path: Path
    names: Sequence[str]
    fields: Sequence[Field]
    first_line: int


def read_tables(path: Path, csv_format: CsvFormat, only: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """
    Yield the rows of a CSV file, or of the one CSV file in a zip file, in file order.

    Parameters
    ----------
    path : Path
        The file; a name that ends with `.zip` says that it is zipped.
    csv_format : CsvFormat
        Which columns there are.
    only : sequence of str, optional
        Names of the fields to read, when not all are needed.

    Yields
    ------
    pyarrow.Table
        One int64 (or bool) column per field, and `line`.

    Raises
    ------
    BadInput
        If the file cannot be read, is not a zip file with one CSV file, or holds a row that does not fit; the
        line in the CSV is named.

    """
    fields = [field for field in csv_format.fields if only is None or field.name in only]
    layout: _Layout | None = None
    line = 1
    for block in blocks(path):
        layout = layout or _layout(block, csv_format, fields, path)
        lines = count_lines(block)
        if line + lines > layout.first_line:
            yield _read_block(block, line, layout)
        line += lines
    if layout is None:
        raise BadInput("is empty", file=path)


def _layout(block: bytes, csv_format: CsvFormat, fields: Sequence[Field], path: Path) -> _Layout:
    """Return the names of the columns in file order, from the header row if there is one."""
    first = block.split(b"\n", 1)[0].rstrip(b"\r")
    cells = first.split(b",")
    if not _NUMBER.match(cells[0]):
        return _Layout(path, _names_from_header(first, csv_format, path), fields, first_line=2)
    if len(cells) not in csv_format.widths:
        widths = " or ".join(str(width) for width in csv_format.widths)
        raise BadInput(f"{csv_format.label} row had {len(cells)} columns, expected {widths}", file=path, line=1)
    names = [f"_{position}" for position in range(len(cells))]
    for field in csv_format.fields:
        names[field.position] = field.name
    return _Layout(path, names, fields, first_line=1)


def _names_from_header(first: bytes, csv_format: CsvFormat, path: Path) -> list[str]:
    text = first.decode("utf-8", errors="replace")
    titles = [title.strip().strip('"').lower() for title in text.split(",")]
    names = [f"_{position}" for position in range(len(titles))]
    for field in csv_format.fields:
        position = next((titles.index(title) for title in field.headers if title in titles), None)
        if position is None:
            raise BadInput(
                f'{csv_format.label} header was "{text[:80]}", without a column "{field.headers[0]}"', file=path, line=1
            )
        names[position] = field.name
    return names


def _read_block(block: bytes, line: int, layout: _Layout) -> pa.Table:
    """Return the rows of a block whose first line is `line` of the file."""
    skipped = max(0, layout.first_line - line)
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(block),
            read_options=pa.csv.ReadOptions(
                column_names=list(layout.names), skip_rows=skipped, use_threads=False, block_size=len(block) + 1
            ),
            # A blank line is a damaged row, not something to pass over.
            parse_options=pa.csv.ParseOptions(ignore_empty_lines=False, quote_char=False),
            convert_options=pa.csv.ConvertOptions(
                include_columns=[field.name for field in layout.fields],
                column_types={field.name: field.arrow_type for field in layout.fields},
                true_values=["True", "true", "TRUE"],
                false_values=["False", "false", "FALSE"],
                null_values=[],
            ),
        )
    except pa.ArrowInvalid as error:
        raise _bad_row(str(error), block, line, layout) from error
    lines = np.arange(line + skipped, line + skipped + table.num_rows)
    columns = [_counts(table.column(field.name), field, lines, layout.path) for field in layout.fields]
    return pa.table([*columns, lines], names=[*(field.name for field in layout.fields), "line"])


def _counts(column: pa.ChunkedArray, field: Field, lines: NDArray[np.int64], path: Path) -> pa.Array:
    """Return a decimal column as counts of its last decimal; pyarrow holds them as 128-bit integers already."""
    array = column.combine_chunks()
    if field.decimals is None:
        return array
    words = np.frombuffer(array.buffers()[1], dtype="<i8").reshape(-1, 2)[array.offset : array.offset + len(array)]
    low, high = words[:, 0], words[:, 1]
    if (wide := high != low >> 63).any():
        row = int(wide.argmax())
        raise BadInput(f"{field.name} {array[row].as_py()} is out of range", file=path, line=int(lines[row]))
    return pa.array(low)


def _bad_row(message: str, block: bytes, line: int, layout: _Layout) -> BadInput:
    """Say in our words which row pyarrow could not read; its row numbers count the skipped rows too."""
    row = int(found[1]) - 1 if (found := _ROW_IN_MESSAGE.search(message)) else 0
    text = block.split(b"\n")[row].rstrip(b"\r").decode("utf-8", errors="replace")
    cells = text.split(",")
    if len(cells) != len(layout.names):
        problem = f'row had {len(cells)} columns, expected {len(layout.names)}: "{text[:80]}"'
        return BadInput(problem, file=layout.path, line=line + row)
    column = int(found[1]) if (found := _COLUMN_IN_MESSAGE.search(message)) else 0
    field = next(field for field in layout.fields if field.name == layout.names[column])
    finer = field.decimals is not None and "data loss" in message
    return BadInput(
        f'{field.name} was "{cells[column]}", expected {field.expected}',
        file=layout.path,
        line=line + row,
        hint="tick and step may have been finer then: give the rules of that time by --exchange-info FILE"
        if finer
        else None,
    )
