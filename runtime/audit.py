"""Two counts of the same money: the ledger's equity against the engine's account."""

from decimal import Decimal

from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.model.enums import AccountType
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Currency

from actors.ledger import Ledger
from command_line import Failed

_ROUNDING_UNIT = Decimal("1e-8")
_POSTINGS_PER_FILL = 4


class BooksDisagree(Failed):
    """The ledger and the account count different sums; one of them is wrong, so there is no result."""


def check_books(engine: BacktestEngine, ledger: Ledger) -> None:
    """
    Hold the ledger's equity at the end of a run against the account's.

    Raises
    ------
    BooksDisagree
        If they differ by more than the engine's rounding of money explains.

    """
    equity = _account_equity(engine, ledger)
    difference = abs(ledger.equity() - equity)
    allowed = _rounding_allowance(engine, ledger)
    if difference > allowed:
        currency = ledger.config.currency
        raise BooksDisagree(
            f"the ledger counts {ledger.equity()} {currency} and the engine's account {equity}: the difference "
            f"{difference} is more than the rounding of {len(ledger.fills)} fills explains, which is {allowed}"
        )


def _account_equity(engine: BacktestEngine, ledger: Ledger) -> Decimal:
    account = engine.kernel.portfolio.account(ledger.config.instrument_ids[0].venue)
    equity: Decimal = account.balance_total(Currency.from_str(ledger.config.currency)).as_decimal()
    if account.type == AccountType.CASH:
        return equity + _holdings_value(engine, ledger)
    return equity + sum((_unrealised(engine, ledger, name) for name in ledger.config.instrument_ids), Decimal(0))


def _holdings_value(engine: BacktestEngine, ledger: Ledger) -> Decimal:
    account = engine.kernel.portfolio.account(ledger.config.instrument_ids[0].venue)
    by_currency = {
        engine.cache.instrument(instrument_id).base_currency: instrument_id
        for instrument_id in reversed(ledger.config.instrument_ids)
    }
    value = Decimal(0)
    for currency, instrument_id in by_currency.items():
        balance = account.balance_total(currency)
        if balance is not None:
            value += balance.as_decimal() * ledger.mid(instrument_id.value)
    return value


def _unrealised(engine: BacktestEngine, ledger: Ledger, instrument_id: InstrumentId) -> Decimal:
    mid = ledger.mid(instrument_id.value)
    profit = Decimal(0)
    for position in engine.cache.positions_open(instrument_id=instrument_id):
        profit += position.signed_decimal_qty() * (mid - Decimal(repr(position.avg_px_open)))
    return profit


def _rounding_allowance(engine: BacktestEngine, ledger: Ledger) -> Decimal:
    """Allow a rounding of each posting to the account, and of the average price of what is still open."""
    postings = _ROUNDING_UNIT * (_POSTINGS_PER_FILL * len(ledger.fills) + 10)
    open_value = sum(
        (
            abs(position.signed_decimal_qty()) * Decimal(repr(position.avg_px_open))
            for position in engine.cache.positions_open()
        ),
        Decimal(0),
    )
    return postings + open_value * Decimal("1e-12")
