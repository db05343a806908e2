"""What live trading needs to know before anything is asked of a venue."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Final

from bad_input import BadInput
from runtime.live.account import symbol_of
from runtime.live.environment import Credentials, Environment, Venue, credentials_of
from runtime.live.own_orders import Owner
from runtime.live.pace import REAL, Pace
from runtime.live.rest import Rest
from runtime.live.settings import LiveSettings
from runtime.prepare import refuse_futures_keys
from runtime.risk.latch import REHEARSAL_FOLDER, STATE_FOLDER, RiskLatch
from runtime.setup.load import LoadedSetup

PAPER: Final = "paper"
REHEARSAL: Final = "rehearsal"

_PERPETUAL: Final = "-PERP.BINANCE"
_SPOT: Final = ".BINANCE"


@dataclass(frozen=True)
class PreparedLive:
    """
    A setup and where it is traded.

    Parameters
    ----------
    loaded : LoadedSetup
        The setup.
    venue : Venue
        The exchange and the account on it.
    owner : Owner
        In whose name orders are sent.
    state_folder : Path
        Where this setup keeps what must survive a restart.
    credentials : Credentials, optional
        The keys; None where the environment has none.
    paper : bool
        Whether orders stay on paper, and nothing but market data is asked of the venue.
    rehearsed : bool
        Whether the exchange is one of this process, which plays a recorded market.
    pace : Pace
        How fast time passes.

    """

    loaded: LoadedSetup
    venue: Venue
    owner: Owner
    state_folder: Path
    credentials: Credentials | None = field(default=None, repr=False)
    paper: bool = False
    rehearsed: bool = False
    pace: Pace = REAL

    @property
    def mode(self) -> str:
        """With whose money it trades, in a word: paper, rehearsal, local, testnet, demo or real money."""
        if self.paper:
            return PAPER
        return REHEARSAL if self.rehearsed else self.venue.environment.value

    @property
    def rest(self) -> Rest:
        """A way to the venue of its own, in the account's name where there are keys."""
        return Rest(self.venue.http, self.credentials, recv_window_ms=self.recv_window_ms, pace=self.pace)

    @property
    def recv_window_ms(self) -> int:
        """For how long after its time the venue may accept an order."""
        return self.pace.window_ms(self.settings.recv_window_ms)

    @property
    def strategy_folder(self) -> Path:
        """Where strategies keep their state: what is held on paper is not what is held."""
        return self.state_folder / "paper" if self.paper else self.state_folder

    @property
    def settings(self) -> LiveSettings:
        """The `live:` section."""
        return self.loaded.setup.live

    @property
    def symbols(self) -> tuple[str, ...]:
        """The venue's names of the instruments."""
        return tuple(symbol_of(name) for name in self.loaded.setup.instruments)

    @property
    def leverage(self) -> int:
        """What the venue must be set to on futures; 1 on spot."""
        return 1 if self.venue.spot else self.settings.leverage or self.loaded.setup.backtest.leverage

    @property
    def latch(self) -> RiskLatch:
        """What halts this setup."""
        return RiskLatch(self.state_folder)

    @property
    def margin(self) -> Decimal:
        """The leverage that risk controls compute with."""
        return Decimal(self.leverage)


def prepare_live(
    loaded: LoadedSetup, environment: Environment, working_folder: Path, credentials: Credentials | None = None
) -> PreparedLive:
    """
    Return a setup with its venue; the keys come from the process's environment unless given.

    Raises
    ------
    BadInput
        If the instruments are not of one account of Binance, or `live:` does not fit them.

    """
    spot = _is_spot(loaded)
    settings = loaded.setup.live
    if environment is Environment.LOCAL and settings.local_url is None:
        raise loaded.tree.complaint("a local exchange needs its address", ("live", "local_url"))
    if environment is not Environment.LOCAL and settings.local_url is not None:
        raise loaded.tree.complaint(f"goes with --local alone, not with {environment}", ("live", "local_url"))
    venue = Venue(environment, spot, settings.local_url)
    state_folder = working_folder / STATE_FOLDER / loaded.setup.name
    keys = credentials or credentials_of(venue)
    return PreparedLive(loaded, venue, Owner.of(loaded.setup.name), state_folder, keys)


def prepare_paper(loaded: LoadedSetup, environment: Environment, working_folder: Path) -> PreparedLive:
    """
    Return a setup that trades a venue's market on paper, without keys.

    Raises
    ------
    BadInput
        As `prepare_live`; and if `backtest:` or the leverage does not fit the account on paper.

    """
    prepared = replace(prepare_live(loaded, environment, working_folder), credentials=None, paper=True)
    refuse_futures_keys(loaded, prepared.venue.spot)
    maintenance, leverage = loaded.setup.backtest.margin.maintenance_pct, prepared.leverage
    if not prepared.venue.spot and maintenance * leverage >= 100:
        left = f"{leverage} leaves an initial margin of {Decimal(100) / leverage:.3g} %"
        raise loaded.tree.complaint(
            f"{left}, no more than the maintenance margin {maintenance} %", ("live", "leverage")
        )
    return prepared


def prepare_rehearsal(
    loaded: LoadedSetup, local_url: str, working_folder: Path, credentials: Credentials, pace: Pace
) -> PreparedLive:
    """
    Return a setup that is traded on an exchange of its own; what a rehearsal keeps never reaches real trading.

    Raises
    ------
    BadInput
        As `prepare_live`.

    """
    venue = Venue(Environment.LOCAL, _is_spot(loaded), local_url)
    state_folder = working_folder / STATE_FOLDER / loaded.setup.name / REHEARSAL_FOLDER
    owner = Owner.of(loaded.setup.name)
    return PreparedLive(loaded, venue, owner, state_folder, credentials, rehearsed=True, pace=pace)


def _is_spot(loaded: LoadedSetup) -> bool:
    names = loaded.setup.instruments
    for i, name in enumerate(names):
        if not name.endswith(_SPOT):
            raise loaded.tree.complaint(f'"{name}" is not traded on Binance', ("instruments", i))
    spot = not names[0].endswith(_PERPETUAL)
    if any(name.endswith(_PERPETUAL) is spot for name in names):
        raise loaded.tree.complaint("mixes spot and futures, which no single account trades", ("instruments",))
    account = loaded.setup.live.account
    if account is not None and (account == "spot") is not spot:
        problem = f'was "{account}", but {names[0]} trades on {"spot" if spot else "usdm_futures"}'
        raise loaded.tree.complaint(problem, ("live", "account"))
    return spot


def ledger_currency(loaded: LoadedSetup, quotes: Sequence[str]) -> str:
    """
    Return the currency that everything is valued in.

    Raises
    ------
    BadInput
        If an instrument is quoted in another.

    """
    code = loaded.setup.ledger.currency or quotes[0]
    for i, quote in enumerate(quotes):
        if quote != code:
            problem = f"{loaded.setup.instruments[i]} is quoted in {quote}, the ledger values in {code}"
            raise loaded.tree.complaint(problem, ("instruments", i))
    return code


def require_credentials(prepared: PreparedLive) -> Credentials:
    """
    Return the keys.

    Raises
    ------
    BadInput
        If there are none.

    """
    if prepared.credentials is None:
        key, secret = prepared.venue.key_variables
        raise BadInput(f"no keys for {prepared.venue.environment}: set {key} and {secret} in the environment")
    return prepared.credentials
