"""Everything about a backtest that can be wrong, found out before anything is started."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.instruments import Instrument
from nautilus_trader.model.objects import Money

from bad_input import nearest_name
from data_catalog.instruments import currency
from runtime.market_data import MarketData, find_market_data, first_mid, first_quote, mid_of
from runtime.risk.checks import check_risk
from runtime.setup.components import ResolvedComponent
from runtime.setup.load import LoadedSetup
from runtime.venue.fees import is_spot
from strategies.config_checks import MarketFacts
from strategies.quoting import QuotingStrategy


@dataclass(frozen=True)
class PreparedBacktest:
    """
    A backtest that can be run.

    Parameters
    ----------
    loaded : LoadedSetup
        The setup.
    data : MarketData
        What it replays.
    spot : bool
        Whether the account is a spot account; otherwise it is one of USD-M futures.
    currency : str
        The currency that everything is valued in.
    balances : tuple of Money
        What the account starts with.
    warnings : tuple of str
        What is allowed but foolish.

    """

    loaded: LoadedSetup
    data: MarketData
    spot: bool
    currency: str
    balances: tuple[Money, ...]
    warnings: tuple[str, ...] = ()


def prepare_backtest(
    loaded: LoadedSetup,
    working_folder: Path,
    find: Callable[[LoadedSetup, Path], MarketData] = find_market_data,
    *,
    warmed_up: bool = False,
) -> PreparedBacktest:
    """
    Return the backtest that the setup describes, whose data `find` knows.

    With `warmed_up`, as in a rehearsal, what looks back also knows what the catalog has from before the start.

    Raises
    ------
    BadInput
        If the data are not there, the instruments cannot trade on one account, a balance cannot be valued or a
        component's configuration does not fit its instrument.

    """
    data = find(loaded, working_folder)
    spot = _is_spot_account(loaded, data.instruments)
    refuse_futures_keys(loaded, spot)
    _refuse_bad_data(loaded, data)
    check_components(loaded, data.instruments)
    check_risk(loaded, data.instruments, lambda instrument_id: first_mid(data, instrument_id))
    warnings = check_against_market(loaded, data.instruments, lambda instrument_id: first_mid(data, instrument_id))
    warnings += _check_series(loaded, data, warmed_up) + _without_trades(loaded)
    code = _ledger_currency(loaded, data.instruments)
    return PreparedBacktest(
        loaded=loaded,
        data=data,
        spot=spot,
        currency=code,
        balances=tuple(starting_balances(loaded, data.instruments, code)),
        warnings=tuple(warnings),
    )


def refuse_futures_keys(loaded: LoadedSetup, spot: bool) -> None:
    """
    Refuse what a spot account does not have rather than leave it unheard.

    Raises
    ------
    BadInput
        If there is something of that kind.

    """
    for key in ("funding", "margin"):
        if spot and key in loaded.tree.values.get("backtest", {}):
            raise loaded.tree.complaint("is for futures, and the instruments are spot", ("backtest", key))


def _refuse_bad_data(loaded: LoadedSetup, data: MarketData) -> None:
    """Refuse data that no figure can rest on, unless the setup says why it takes them."""
    fatal = data.quality.fatal
    if fatal and loaded.setup.backtest.accept_data_because is None:
        more = f" (and {len(fatal) - 1} more)" if len(fatal) > 1 else ""
        way = '`backtest.accept_data_because: "the reason"` runs it all the same'
        if data.quality.unquoted:
            way = "without quotes nothing can be traded or valued: another period, or another catalog"
        hint = f"run `python -m data_catalog check`; {way}"
        raise loaded.tree.complaint(f"the data are not fit for a run: {fatal[0]}{more}", ("backtest", "catalog"), hint)


def check_components(loaded: LoadedSetup, instruments: Sequence[Instrument]) -> None:
    """
    Hold every configuration against the instruments: a strategy says what does not fit as `key: problem`.

    Raises
    ------
    BadInput
        For the first that does not fit.

    """
    by_id = {instrument.id: instrument for instrument in instruments}
    for component in (*loaded.strategies, *loaded.actors):
        for keys, traded in _traded_by(component):
            if traded not in by_id:
                problem = f"{traded} is not among the setup's instruments"
                hint = nearest_name(str(traded), [str(known) for known in by_id])
                raise loaded.tree.complaint(problem, (*component.path, "config", *keys), hint)
        with _complaints_of(loaded, component):
            if check := getattr(component.kind, "check_config", None):
                check(component.config, by_id)


def _traded_by(component: ResolvedComponent) -> Iterator[tuple[tuple[str, ...], InstrumentId]]:
    """Yield each instrument that a component's configuration names, with the keys that lead to it."""
    single = getattr(component.config, "instrument_id", None)
    if single is not None:
        yield ("instrument_id",), single
    for instrument_id in getattr(component.config, "instrument_ids", ()):
        yield ("instrument_ids",), instrument_id
    pair = getattr(component.config, "pair", None)
    if pair is not None:
        yield ("pair", "leg_y"), pair.leg_y
        yield ("pair", "leg_x"), pair.leg_x


def check_against_market(
    loaded: LoadedSetup, instruments: Sequence[Instrument], price_of: Callable[[str], Decimal]
) -> list[str]:
    """
    Hold the configurations against the price of each instrument; return what is allowed but foolish.

    Raises
    ------
    BadInput
        For the first that does not fit.

    """
    by_id = {instrument.id: instrument for instrument in instruments}
    warnings: list[str] = []
    for component in loaded.strategies:
        if check := getattr(component.kind, "check_market", None):
            instrument = by_id[component.config.instrument_id]
            with _complaints_of(loaded, component):
                warnings += check(component.config, instrument, price_of(instrument.id.value))
    return warnings


def _check_series(loaded: LoadedSetup, data: MarketData, warmed_up: bool) -> list[str]:
    """Hold the configurations of portfolios against the length of the data; return what is allowed but foolish."""
    by_id = {instrument.id: instrument for instrument in data.instruments}
    warnings: list[str] = []
    for component in loaded.strategies:
        if check := getattr(component.kind, "check_series", None):
            markets = {traded: _facts_of(data, by_id[traded], warmed_up) for _, traded in _traded_by(component)}
            with _complaints_of(loaded, component):
                warnings += check(component.config, markets)
    return warnings


def _without_trades(loaded: LoadedSetup) -> list[str]:
    """Say so where makers rest orders in a market of quotes alone: most of their fills come by trades."""
    makers = [component.kind.__name__ for component in loaded.strategies if issubclass(component.kind, QuotingStrategy)]
    if not makers or "trades" in loaded.setup.backtest.data:
        return []
    return [f"There are no trades in `data`: orders of {', '.join(makers)} fill only when a quote goes beyond them."]


def _facts_of(data: MarketData, instrument: Instrument, warmed_up: bool) -> MarketFacts:
    quote = first_quote(data, instrument.id.value)
    own = [entry for entry in data.entries if entry.instrument_id == instrument.id.value]
    prices = [entry for entry in own if entry.data_type != "funding_rates"]
    first_ns = min(entry.first_ns for entry in prices) if warmed_up else quote.ts_init
    last_ns = max(entry.last_ns for entry in prices)
    return MarketFacts(instrument, mid_of(quote), first_ns, min(last_ns, data.end_ns))


@contextmanager
def _complaints_of(loaded: LoadedSetup, component: ResolvedComponent) -> Iterator[None]:
    """Turn `ValueError("key: problem")` of a component's own checks into a complaint with file, line and key."""
    try:
        yield
    except ValueError as error:
        key, _, problem = str(error).partition(": ")
        raise loaded.tree.complaint(problem, (*component.path, "config", key)) from None


def _is_spot_account(loaded: LoadedSetup, instruments: Sequence[Instrument]) -> bool:
    kinds = {is_spot(instrument) for instrument in instruments}
    if len(kinds) > 1:
        raise loaded.tree.complaint("mixes spot and futures, which no single account trades", ("instruments",))
    return kinds.pop()


def _ledger_currency(loaded: LoadedSetup, instruments: Sequence[Instrument]) -> str:
    code = loaded.setup.ledger.currency or instruments[0].quote_currency.code
    for i, instrument in enumerate(instruments):
        if instrument.quote_currency.code != code:
            problem = f"{instrument.id} is quoted in {instrument.quote_currency.code}, the ledger values in {code}"
            raise loaded.tree.complaint(problem, ("instruments", i))
    return str(code)


def starting_balances(loaded: LoadedSetup, instruments: Sequence[Instrument], ledger_currency: str) -> list[Money]:
    """
    Return what a simulated account starts with.

    Raises
    ------
    BadInput
        If a balance is no amount, stands twice or cannot be valued.

    """
    valued = {ledger_currency, *(instrument.base_currency.code for instrument in instruments if is_spot(instrument))}
    balances: dict[str, Money] = {}
    for i, text in enumerate(loaded.setup.backtest.starting_balances):
        path = ("backtest", "starting_balances", i)
        try:
            amount, code = text.replace("_", "").split()
            value = Decimal(amount)
        except (ValueError, ArithmeticError):
            raise loaded.tree.complaint(f'was "{text}", expected an amount such as "10_000 USDT"', path) from None
        if code not in valued:
            problem = f"{code} cannot be valued: the setup's instruments trade {', '.join(sorted(valued))}"
            raise loaded.tree.complaint(problem, path)
        if not value.is_finite() or value < 0:
            raise loaded.tree.complaint(f'was "{text}", expected an amount of at least 0', path)
        if code in balances:
            raise loaded.tree.complaint(f"{code} stands twice", path)
        balances[code] = Money(value, currency(code))
    if ledger_currency not in balances:
        problem = f"has no {ledger_currency}, the currency of the ledger; 0 {ledger_currency} will do"
        raise loaded.tree.complaint(problem, ("backtest", "starting_balances"))
    return list(balances.values())
