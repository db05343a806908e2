"""The ledger's books in a file that only grows: what was written stays, whatever becomes of the process."""

import os
from pathlib import Path
from typing import IO

import msgspec

from actors.kept_books import Entry, KeptBooks, Opening, Transfer
from actors.ledger_records import EquityPoint, FillRecord
from bad_input import BadInput
from messages.ledger import FundingPaid


class _Line(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """One line of the file: it has one of these."""

    trades_before: dict[str, int] | None = None
    opening: Opening | None = None
    fill: FillRecord | None = None
    funding: FundingPaid | None = None
    transfer: Transfer | None = None
    point: EquityPoint | None = None


class BooksJournal:
    """
    `books.jsonl`: how the books began, what was booked, and the equity on the grid.

    It is there while a run trades, and after one that did not end as it was asked to: the next run goes on with it. A
    line that a kill cut in two is left out: the venue still knows what happened.

    Parameters
    ----------
    folder : Path
        Where; it need not exist.

    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "books.jsonl"
        self.trades_before: dict[str, int] = {}
        """By symbol: the id of the account's last trade before these books."""
        self._stream: IO[bytes] | None = None
        self._problem: OSError | None = None

    # -- Reading ------------------------------------------------------------------------------------------------------

    def read(self) -> KeptBooks | None:
        """
        Return the books of an earlier run; None where there are none.

        Raises
        ------
        BadInput
            If they are damaged.

        """
        books: KeptBooks | None = None
        for number, text in enumerate(self._whole_lines(), 1):
            try:
                line = msgspec.json.decode(text, type=_Line)
            except msgspec.DecodeError as error:
                hint = "--fresh starts without it"
                raise BadInput(f"line {number} cannot be read: {error}", file=self.file, hint=hint) from None
            if line.trades_before is not None:
                self.trades_before |= line.trades_before
            elif line.opening is not None:
                books = KeptBooks(line.opening)
            elif books is not None:
                _take(books, line)
        return books

    def _whole_lines(self) -> list[bytes]:
        try:
            *lines, _ = self.file.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        return lines

    # -- Writing ------------------------------------------------------------------------------------------------------

    def begin(self, trades_before: dict[str, int]) -> None:
        """Begin to write, behind what is there; with the last trades of the account before these books."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        whole = sum(len(line) + 1 for line in self._whole_lines())
        self._stream = self.file.open("ab", buffering=0)
        self._stream.truncate(whole)
        self._write(_Line(trades_before=trades_before))

    def opened(self, opening: Opening) -> None:
        """Write how the books begin."""
        self._write(_Line(opening=opening))

    def entered(self, entry: Entry) -> None:
        """Write what was booked."""
        if isinstance(entry, FillRecord):
            self._write(_Line(fill=entry))
        elif isinstance(entry, FundingPaid):
            self._write(_Line(funding=entry))
        else:
            self._write(_Line(transfer=entry))

    def marked(self, point: EquityPoint) -> None:
        """Write a point of the equity."""
        self._write(_Line(point=point))

    def _write(self, line: _Line) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(msgspec.json.encode(line) + b"\n")
        except OSError as error:  # the ledger must not be stopped in the middle of a booking
            self._problem = error

    def check(self) -> None:
        """Raise the OSError that kept something from being written, if there was one."""
        if self._problem is not None:
            raise self._problem

    def close(self) -> None:
        """Stop writing; the next run goes on with these books."""
        if self._stream is not None:
            os.fsync(self._stream.fileno())
            self._stream.close()
            self._stream = None

    def forget(self) -> None:
        """End these books: the next run begins new ones."""
        self.close()
        self.file.unlink(missing_ok=True)


def _take(books: KeptBooks, line: _Line) -> None:
    for entry in (line.fill, line.funding, line.transfer):
        if entry is not None:
            books.entries.append(entry)
    if line.point is not None:
        books.points.append(line.point)
