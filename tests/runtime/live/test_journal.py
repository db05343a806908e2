"""The journal of the books: what was written is read again, exactly, whatever a kill did to the last line."""

from decimal import Decimal
from pathlib import Path

import pytest

from actors.kept_books import KeptBooks, OpenedBook, Opening, Transfer
from actors.ledger_records import EquityPoint, FillRecord
from bad_input import BadInput
from messages.ledger import FundingPaid
from models.attribution import Parts
from runtime.live.journal import BooksJournal

PERPETUAL = "BTCUSDT-PERP.BINANCE"
THIRD = Decimal("0.33333333333333333333333333333333333333333333333333")
HELD = OpenedBook("maker", PERPETUAL, THIRD, Decimal(60_000))
OPENING = Opening(1, Decimal("10000.00000001"), Decimal(10_000), (HELD,))
FILL = FillRecord(
    ts_ns=2,
    strategy="maker",
    instrument=PERPETUAL,
    side="BUY",
    liquidity="MAKER",
    client_order_id="O-20260101-120000-1a2b-000-7",
    trade_id="77",
    price=Decimal("59999.9"),
    quantity=Decimal("0.01"),
    fee=Decimal("0.1199998"),
    mid=THIRD,
)
FUNDING = FundingPaid(
    ts_ns=3, strategy_id="maker", instrument_id=PERPETUAL, position=Decimal("0.01"), amount=Decimal("-0.06")
)
TRANSFER = Transfer(4, "", Decimal(-5), Decimal(1))
POINT = EquityPoint(5, Decimal(9_999), Parts(THIRD, Decimal(1), Decimal(-2), Decimal(0)), Decimal(0))


@pytest.fixture
def journal(tmp_path: Path) -> BooksJournal:
    journal = BooksJournal(tmp_path / "state")
    journal.begin({"BTCUSDT": 76})
    journal.opened(OPENING)
    for entry in (FILL, FUNDING, TRANSFER):
        journal.entered(entry)
    journal.marked(POINT)
    journal.close()
    return journal


def read(journal: BooksJournal) -> tuple[KeptBooks | None, dict[str, int]]:
    again = BooksJournal(journal.file.parent)
    return again.read(), again.trades_before


def test_what_was_written_is_read(journal: BooksJournal) -> None:
    assert read(journal) == (KeptBooks(OPENING, [FILL, FUNDING, TRANSFER], [POINT]), {"BTCUSDT": 76})


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_that_was_cut_in_two_is_left_out_and_written_over(journal: BooksJournal, cut: int) -> None:
    journal.file.write_bytes(journal.file.read_bytes()[:-cut])
    again = BooksJournal(journal.file.parent)
    assert again.read() == KeptBooks(OPENING, [FILL, FUNDING, TRANSFER], [])

    again.begin({})
    again.marked(POINT)
    again.close()

    assert read(journal)[0] == KeptBooks(OPENING, [FILL, FUNDING, TRANSFER], [POINT])


def test_damage_is_told_with_its_line(journal: BooksJournal) -> None:
    lines = journal.file.read_bytes().split(b"\n")
    lines[2] = lines[2][:-3]
    journal.file.write_bytes(b"\n".join(lines))

    with pytest.raises(BadInput, match="line 3 cannot be read"):
        journal.read()


def test_books_that_were_ended_are_gone(journal: BooksJournal) -> None:
    journal.forget()

    assert read(journal) == (None, {})


def test_a_line_that_the_disk_does_not_take_is_told_afterwards(journal: BooksJournal) -> None:
    with Path("/dev/full").open("wb", buffering=0) as full:
        journal._stream = full
        journal.opened(OPENING)

    with pytest.raises(OSError, match="No space left"):
        journal.check()
