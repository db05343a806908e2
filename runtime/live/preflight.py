"""The check before the start: everything that can be asked before the first order leaves."""

import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from nautilus_trader.model.instruments import Instrument

from bad_input import BadInput
from data_catalog.instruments import build_instrument
from runtime.live.account import BinanceAccount
from runtime.live.account_checks import AccountChecks
from runtime.live.check_rows import Row, Verdict, go, no_go, warn
from runtime.live.environment import Environment
from runtime.live.prepare import PreparedLive, ledger_currency
from runtime.live.rest import Refused, VenueError
from runtime.live.sweep import synchronise
from runtime.prepare import check_against_market, check_components

LATCH: Final = "halt latch"
"""The row that says whether a risk control holds."""

_REDIS_TIMEOUT_SECS: Final = 2.0


@dataclass(frozen=True)
class Preflight:
    """
    The answers.

    Parameters
    ----------
    rows : tuple of Row
        In the order of asking.
    instruments : tuple of Instrument
        As the venue lists them; empty if it did not say.

    """

    rows: tuple[Row, ...]
    instruments: tuple[Instrument, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing keeps the setup from trading."""
        return all(row.verdict is not Verdict.NO_GO for row in self.rows)

    @property
    def halted_alone(self) -> bool:
        """Whether nothing but a risk control keeps the setup from trading."""
        return {row.name for row in self.rows if row.verdict is Verdict.NO_GO} == {LATCH}

    def as_dict(self) -> dict[str, Any]:
        """Return the answers as JSON types."""
        return {"go": self.passed, "rows": [row.as_dict() for row in self.rows]}


def check(prepared: PreparedLive, results: Path) -> Preflight:
    """
    Ask everything that can be asked; nothing is changed on the venue.

    Parameters
    ----------
    prepared : PreparedLive
        What is to be traded where.
    results : Path
        Where results will be written.

    """
    rest = prepared.rest
    account = BinanceAccount(rest, prepared.venue.spot)
    rows = [_limits(prepared), _latch(prepared), *_persistence(prepared, results)]
    if not prepared.paper:
        rows += _keys(prepared)
    reach = list(_reach(prepared, account))
    rows += reach
    if any(row.verdict is Verdict.NO_GO for row in reach[:1]):
        return Preflight((*rows, _not_asked("everything else", "the venue did not answer")))
    instruments: tuple[Instrument, ...] = ()
    try:
        market_rows, instruments = _market(prepared, account)
        rows += market_rows
    except (VenueError, BadInput) as error:
        rows.append(no_go("symbols", "the venue lists and trades them", str(error), "see the instruments of the setup"))
    if prepared.paper:
        return Preflight(tuple(rows), instruments)
    if prepared.credentials is None or not _key_fits(prepared):
        rows.append(_not_asked("the account", "no usable keys"))
    else:
        rows += AccountChecks(prepared, account, instruments).rows()
    return Preflight(tuple(rows), instruments)


def _not_asked(name: str, why: str) -> Row:
    return Row(name, "", why, Verdict.SKIPPED)


# -- This side --------------------------------------------------------------------------------------------------------


def _limits(prepared: PreparedLive) -> Row:
    asked = "the setup has limits, and stops on stale data"
    risk = prepared.loaded.setup.risk
    if risk is None:
        fix = "add a risk: section to the setup (docs/risk.md)"
        if prepared.venue.environment is Environment.REAL and not prepared.paper:
            return no_go("risk limits", asked, "none", fix)
        return warn("risk limits", asked, "none", fix)
    if risk.max_data_age_secs is None:
        return warn("risk limits", asked, "no max_data_age_secs", "set risk.max_data_age_secs")
    return go("risk limits", asked, f"quotes are pulled after {risk.max_data_age_secs} s of silence")


def _latch(prepared: PreparedLive) -> Row:
    halts = prepared.latch.halts(datetime.now(UTC))
    if halts:
        return no_go(LATCH, "nothing halts trading", "; ".join(halts), "run_live.py SETUP --resume REASON")
    return go(LATCH, "nothing halts trading", "nothing")


def _persistence(prepared: PreparedLive, results: Path) -> Iterator[Row]:
    for name, folder in (("results", results), ("state", prepared.state_folder)):
        problem = _write_problem(folder)
        if problem is None:
            yield go(f"{name} folder", "can be written", str(folder))
        else:
            yield no_go(f"{name} folder", "can be written", problem, f"make {folder} writable, or free the disk")
    if prepared.settings.redis is not None:
        yield _redis(prepared.settings.redis)


def _write_problem(folder: Path) -> str | None:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=existing) as stream:
            stream.write(b"can be written")
            stream.flush()
    except OSError as error:
        return f"{existing}: {error.strerror}"
    return None


def _redis(address: str) -> Row:
    asked = "Redis answers"
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), _REDIS_TIMEOUT_SECS) as connection:
            connection.sendall(b"PING\r\n")
            answer = connection.recv(64)
    except OSError as error:
        return no_go("redis", asked, f"{address}: {error}", "start it, or leave live.redis out")
    if answer.startswith((b"+PONG", b"-NOAUTH")):
        return go("redis", asked, address)
    return no_go("redis", asked, f"{address} answered {answer[:20]!r}", "live.redis is no Redis")


def _keys(prepared: PreparedLive) -> Iterator[Row]:
    key, secret = prepared.venue.key_variables
    asked = f"{key} and {secret} are set"
    if prepared.credentials is None:
        yield no_go("keys", asked, "missing", f"export {key} and {secret}; never write them into a file of the project")
        return
    kind = "Ed25519" if prepared.credentials.is_ed25519 else "HMAC (or of a kind that is not known)"
    if not _key_fits(prepared):
        fix = "make an Ed25519 key: Binance's WebSocket API takes no other for a spot account (docs/live.md)"
        yield no_go("keys", "an Ed25519 key on spot", kind, fix)
    else:
        yield go("keys", asked, kind)


def _key_fits(prepared: PreparedLive) -> bool:
    keys = prepared.credentials
    return keys is not None and (keys.is_ed25519 or not prepared.venue.spot)


# -- The venue --------------------------------------------------------------------------------------------------------


def _reach(prepared: PreparedLive, account: BinanceAccount) -> Iterator[Row]:
    asked = f"{account.rest.base_url} answers"
    try:
        skew_ms = synchronise(account)
    except VenueError as error:
        secs = error.retry_after_secs if isinstance(error, Refused) else 0.0
        wait = f"; it wants to be left alone for {secs:.0f} s" if secs else ""
        yield no_go("venue", asked, f"{error}{wait}", "look at the network, and at Binance's status page")
        return
    yield go("venue", asked, "yes")
    most = prepared.settings.max_clock_skew_ms
    clock_asked = f"within {most} ms of the venue's"
    if abs(skew_ms) > most:
        side = "behind" if skew_ms > 0 else "ahead of"
        found = f"{abs(skew_ms)} ms {side} the venue's"
        yield no_go("clock", clock_asked, found, "let the machine synchronise its clock (chrony, systemd-timesyncd)")
    else:
        yield go("clock", clock_asked, f"{abs(skew_ms)} ms")


def _market(prepared: PreparedLive, account: BinanceAccount) -> tuple[list[Row], tuple[Instrument, ...]]:
    infos, statuses = account.symbols(prepared.symbols)
    missing = [symbol for symbol in prepared.symbols if symbol not in infos]
    asked = "the venue lists and trades them"
    if missing:
        fix = "see the instruments of the setup, and whether this venue has them"
        return [no_go("symbols", asked, f"not listed: {', '.join(missing)}", fix)], ()
    resting = [f"{symbol} is {status}" for symbol, status in statuses.items() if status != "TRADING"]
    if resting:
        return [no_go("symbols", asked, "; ".join(resting), "wait until they trade again")], ()
    instruments = tuple(build_instrument(infos[symbol]) for symbol in prepared.symbols)
    rows = [go("symbols", asked, ", ".join(prepared.symbols))]
    return [*rows, *_sizes(prepared, account, instruments)], instruments


def _sizes(prepared: PreparedLive, account: BinanceAccount, instruments: Sequence[Instrument]) -> Iterator[Row]:
    asked = "the configured sizes fit the venue's filters"
    try:
        ledger_currency(prepared.loaded, [instrument.quote_currency.code for instrument in instruments])
        check_components(prepared.loaded, instruments)
        warnings = check_against_market(prepared.loaded, instruments, _mid_of(account, instruments))
    except BadInput as error:
        yield no_go("sizes", asked, str(error), "change the setup")
        return
    yield go("sizes", asked, "they do")
    for warning in warnings:
        yield warn("sizes", "", warning, "")


def _mid_of(account: BinanceAccount, instruments: Sequence[Instrument]) -> Callable[[str], Any]:
    symbols = {instrument.id.value: instrument.raw_symbol.value for instrument in instruments}

    def mid(instrument_id: str) -> Any:
        bid, ask = account.touch(symbols[instrument_id])
        if not 0 < bid < ask:
            raise BadInput(f"{instrument_id} has no market now: bid {bid}, ask {ask}")
        return (bid + ask) / 2

    return mid
