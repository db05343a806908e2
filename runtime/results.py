"""A finished run becomes a results folder: all of it or nothing."""

import csv
import json
import platform
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from actors.ledger import Ledger
from actors.ledger_records import MARKOUT_HORIZONS_SECS, EquityPoint, FillRecord
from bad_input import BadInput
from reports import pair_trades, rebalancing
from reports.costs import FeeFacts
from reports.page import write_report
from reports.summary import RunFacts, summarise
from runtime.backtest import BacktestRun
from runtime.code_version import code_version
from runtime.drills.report import drill_summary, fault_summary
from runtime.market_data import iso_time
from runtime.risk.report import risk_summary
from runtime.venue.fills import FILL_ASSUMPTIONS
from runtime.venue.funding import funding_sources
from runtime.venue.margin import Liquidation

_EXACT = pa.decimal128(38, 18)
_DAY_NS = 86_400_000_000_000
_MARKOUT_COLUMNS = [f"markout_mid_{horizon}s" for horizon in MARKOUT_HORIZONS_SECS]


def new_run_id(setup_sha256: str, now: datetime, fault: str | None = None) -> str:
    """Return a run id that sorts by time and names the setup, and a drill: 20240723T153900Z-1a2b3c4d-drill-crash."""
    drill = "" if fault is None else f"-drill-{fault}"
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{setup_sha256[:8]}{drill}"


class ResultsFolder:
    """
    The folder `results/<name>/<run id>/` while it is being filled.

    Everything is written to a hidden folder beside it, which takes its place on `publish`; leaving the `with` block
    without it removes everything.

    Parameters
    ----------
    results : Path
        The folder of all results.
    name : str
        The setup's name.
    run_id : str
        Names the run; a number is added when it is taken.

    """

    def __init__(self, results: Path, name: str, run_id: str) -> None:
        self._parent = results / name
        self.run_id = self._free_id(run_id)
        self.staging = self._parent / f".{self.run_id}.partial"

    def _free_id(self, run_id: str) -> str:
        candidate, number = run_id, 1
        while (self._parent / candidate).exists() or (self._parent / f".{candidate}.partial").exists():
            number += 1
            candidate = f"{run_id}-{number}"
        return candidate

    def __enter__(self) -> "ResultsFolder":
        try:
            self.staging.mkdir(parents=True)
        except OSError as error:
            raise BadInput(f"no folder can be made there: {error.strerror}", file=self._parent, key="--out") from None
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.staging, ignore_errors=True)
        for folder in (self._parent, self._parent.parent):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

    def publish(self) -> Path:
        """Give the folder its name and return it."""
        return self.staging.rename(self._parent / self.run_id)


def write_results(run: BacktestRun, folder: ResultsFolder) -> dict[str, Any]:
    """
    Write every file of the results of `run` and return its summary.

    Raises
    ------
    OSError
        If the disk does not take it.

    """
    return write_books(run.ledger, _facts(run, folder.run_id), _manifest(run, folder.run_id), folder.staging)


def summary_of(run: BacktestRun, run_id: str) -> dict[str, Any]:
    """Return the summary of `run` without writing anything."""
    return summarise(run.ledger, _facts(run, run_id))


def write_books(ledger: Ledger, facts: RunFacts, manifest: dict[str, Any], folder: Path) -> dict[str, Any]:
    """
    Write what the books of a run say into `folder`, backtest or live, and return the summary.

    Raises
    ------
    OSError
        If the disk does not take it.

    """
    summary = summarise(ledger, facts)
    _write_json(folder / "summary.json", summary)
    _write_json(folder / "manifest.json", manifest)
    pq.write_table(fills_table(ledger.fills), folder / "fills.parquet")
    pq.write_table(_equity_table(ledger.equity_curve), folder / "equity.parquet")
    _write_csv(folder / "positions.csv", _POSITION_COLUMNS, _position_rows(ledger))
    _write_csv(folder / "pnl.csv", _PNL_COLUMNS, _pnl_rows(ledger))
    if ledger.rebalances:
        rows = rebalancing.rebalance_rows(ledger.rebalances)
        _write_csv(folder / "rebalances.csv", rebalancing.COLUMNS, _with_times(rows))
    if ledger.pair_trades:
        _write_csv(folder / "pairs.csv", pair_trades.COLUMNS, _with_times(pair_trades.rows(ledger.pair_trades)))
    write_report(folder)
    return summary


def _facts(run: BacktestRun, run_id: str) -> RunFacts:
    setup, data = run.prepared.loaded.setup, run.prepared.data
    assumption = FILL_ASSUMPTIONS[setup.backtest.fills]
    latency = setup.backtest.latency
    return RunFacts(
        setup=setup.name,
        description=setup.description,
        run_id=run_id,
        start=iso_time(data.start_ns),
        end=iso_time(data.end_ns),
        elapsed_s=run.elapsed_s,
        events=run.events,
        orders=run.orders.submitted - run.orders.denied,
        denied=run.orders.denied,
        fees={
            instrument.id.value: {
                "maker_bps": float(instrument.maker_fee * 10_000),
                "taker_bps": float(instrument.taker_fee * 10_000),
            }
            for instrument in data.instruments
        },
        fills_assumption=assumption.name,
        fills_description=assumption.description,
        latency_ms={"insert": latency.insert_ms, "modify": latency.modify_ms, "cancel": latency.cancel_ms}
        if assumption.latency
        else None,
        synthetic=data.synthetic,
        reconstructed_quotes=data.reconstructed,
        warnings=run.warnings,
        risk=None if run.risk is None else risk_summary(run.risk, run.ledger),
        drill=None if run.drill is None else drill_summary(run, run.drill),
        compare=run.compare,
        fee_facts=_fee_facts(run),
        funding=funding_sources(data.funding),
        liquidation=None if run.liquidation is None else liquidation_facts(run.liquidation),
        data_quality=data.quality.as_dict(setup.backtest.accept_data_because),
    )


def _fee_facts(run: BacktestRun) -> FeeFacts:
    loaded, spot = run.prepared.loaded, run.prepared.spot
    return FeeFacts(
        market="spot" if spot else "usdm",
        from_received=spot and loaded.setup.backtest.fees.paid_in == "received",
        priced_in=tuple(
            part.kind.__name__ for part in loaded.strategies if getattr(part.kind, "DECIDES_BY_FEE", False)
        ),
    )


def liquidation_facts(found: Liquidation) -> dict[str, Any]:
    """Return what the summary says of a liquidation."""
    return {
        "time": iso_time(found.ts_ns),
        "mode": found.mode,
        "equity": float(found.equity),
        "maintenance_margin": float(found.maintenance),
        "closed": {name: float(held) for name, held in found.closed.items()},
        "fee": float(found.fee),
        "borne_by_the_venue": float(found.borne),
    }


def _manifest(run: BacktestRun, run_id: str) -> dict[str, Any]:
    setup, data = run.prepared.loaded.setup, run.prepared.data
    return {
        "run_id": run_id,
        **({} if run.drill is None else {"drill": fault_summary(run.drill.fault)}),
        "setup": setup.as_dict(),
        "setup_sha256": setup.sha256(),
        "data": [
            {
                "instrument": entry.instrument_id,
                "type": entry.data_type,
                "rows": entry.rows,
                "first": iso_time(entry.first_ns),
                "last": iso_time(entry.last_ns),
                "synthetic": entry.synthetic,
                "reconstructed": entry.reconstructed,
                "fingerprint": entry.fingerprint,
            }
            for entry in data.entries
        ],
        "start": iso_time(data.start_ns),
        "end": iso_time(data.end_ns),
        "seed": setup.backtest.seed,
        "versions": versions(),
        "command": ["run_backtest.py", *sys.argv[1:]],
    }


def versions() -> dict[str, str]:
    """Return the versions of what the figures depend on; `code` is that of the project's own."""
    packages = ("nautilus_trader", "numpy", "pyarrow")
    known = {package: version(package) for package in packages}
    return {"python": platform.python_version(), **known, "code": code_version()}


def _write_json(file: Path, content: dict[str, Any]) -> None:
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


# -- Parquet ----------------------------------------------------------------------------------------------------------


def fills_table(fills: Sequence[FillRecord]) -> pa.Table:
    """Return the fills as a table with exact decimals."""
    texts = ("strategy", "instrument", "side", "liquidity", "client_order_id", "trade_id")
    decimals = ("price", "quantity", "fee", "fee_base", "mid", "position_after", "spread", "decision_mid", "quoted_mid")
    columns: dict[str, pa.Array] = {"ts_ns": pa.array([fill.ts_ns for fill in fills], pa.int64())}
    for name in texts:
        columns[name] = pa.array([getattr(fill, name) for fill in fills], pa.string())
    for name in decimals:
        columns[name] = _exact_column([getattr(fill, name) for fill in fills])
    for name, horizon in zip(_MARKOUT_COLUMNS, MARKOUT_HORIZONS_SECS, strict=True):
        columns[name] = _exact_column([fill.markout_mids.get(horizon) for fill in fills])
    columns["rested_secs"] = pa.array([fill.rested_secs for fill in fills], pa.float64())
    columns["alpha_bps"] = pa.array([fill.alpha_bps for fill in fills], pa.float64())
    return pa.table(columns)


def _equity_table(points: Sequence[EquityPoint]) -> pa.Table:
    columns = {
        "ts_ns": pa.array([point.ts_ns for point in points], pa.int64()),
        "equity": _exact_column([point.equity for point in points]),
    }
    for name in ("spread", "inventory", "fees", "funding"):
        columns[name] = _exact_column([getattr(point.parts, name) for point in points])
    columns["holdings"] = _exact_column([point.holdings for point in points])
    return pa.table(columns)


def _exact_column(values: Iterable[Decimal | None]) -> pa.Array:
    return pa.array(values, _EXACT)


# -- CSV --------------------------------------------------------------------------------------------------------------

_POSITION_COLUMNS = (
    "time",
    "instrument",
    "bid",
    "ask",
    "mid",
    "quote_bid",
    "quote_ask",
    "fair_value",
    "position",
    "equity",
)
_PNL_COLUMNS = (
    "kind",
    "time",
    "strategy",
    "instrument",
    "side",
    "price",
    "quantity",
    "fee",
    "spread",
    "position_after",
    "equity",
)


def _write_csv(file: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _position_rows(ledger: Ledger) -> Iterable[Sequence[object]]:
    for point in ledger.position_points:
        fair_value = "" if point.fair_value is None else f"{point.fair_value:.10g}"
        yield (
            _csv_time(point.ts_ns),
            point.instrument,
            _plain(point.bid),
            _plain(point.ask),
            _plain(point.mid),
            _plain(point.quote_bid),
            _plain(point.quote_ask),
            fair_value,
            _plain(point.position),
            _plain(point.equity),
        )


def _pnl_rows(ledger: Ledger) -> Iterable[Sequence[object]]:
    for fill in ledger.fills:
        yield (
            "fill",
            _csv_time(fill.ts_ns),
            fill.strategy,
            fill.instrument,
            fill.side,
            _plain(fill.price),
            _plain(fill.quantity),
            _plain(fill.fee),
            _plain(fill.spread),
            _plain(fill.position_after),
            "",
        )
    for paid in ledger.funding:
        mark, amount = _plain(paid.mark), _plain(-paid.amount)
        held = _plain(paid.position)
        yield (
            "funding",
            _csv_time(paid.ts_ns),
            paid.strategy_id,
            paid.instrument_id,
            "",
            mark,
            "",
            amount,
            "",
            held,
            "",
        )
    for charged in ledger.charges:
        amount = _plain(charged.amount)
        owner = (charged.strategy_id, charged.instrument_id)
        yield ("charge", _csv_time(charged.ts_ns), *owner, "", "", "", amount, "", "", "")
    last_of_day = {point.ts_ns // _DAY_NS: point for point in ledger.equity_curve}
    for point in last_of_day.values():
        yield ("day", _csv_time(point.ts_ns), *[""] * 8, _plain(point.equity))


def _with_times(rows: Iterable[tuple[int, *tuple[str, ...]]]) -> Iterable[Sequence[object]]:
    for time_ns, *row in rows:
        yield (_csv_time(time_ns), *row)


def _plain(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"


def _csv_time(time_ns: int) -> str:
    seconds, nanos = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{nanos // 1000:06d}Z"
