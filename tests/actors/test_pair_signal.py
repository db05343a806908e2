from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.common.actor import Actor
from nautilus_trader.model.identifiers import InstrumentId

from actors.ledger_records import FillRecord
from actors.pair_signal import PairSignal, PairSignalConfig
from messages.signals import ALPHA_TOPICS, AlphaSignal
from messages.views import NOT_RUNNING
from reports.signals import alpha_summary
from strategies.fixed_spread import FixedSpread, FixedSpreadConfig
from tests.pair_kit import BETA, X, Y, markets_of, pairs, perpetuals
from tests.view_kit import Asker

GAP = [0.0] * 3 + [0.004] * 5 + [-0.03] * 5


class Listener(Actor):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[AlphaSignal] = []

    def on_start(self) -> None:
        self.msgbus.subscribe(ALPHA_TOPICS, self.heard.append)


def signals(replay: Any, **config: Any) -> list[AlphaSignal]:
    listener = Listener()
    signal = PairSignal(PairSignalConfig(pair=pairs().config.pair, **config))
    maker = FixedSpread(
        FixedSpreadConfig(
            instrument_id=InstrumentId.from_str(Y), order_qty=1, max_position=3, half_spread_bps=2, alpha_weight=1
        )
    )

    def add(engine: Any) -> None:
        engine.add_actor(listener)
        engine.add_actor(signal)

    replay(markets_of(perpetuals(), GAP, [5.0] * len(GAP)), [maker], on_engine=add)
    return listener.heard


def test_half_of_the_gap_is_expected_to_go_and_y_makes_it_up(replay: Any) -> None:
    heard = signals(replay)

    assert {signal.instrument_id for signal in heard} == {Y}
    assert heard[0].bps == pytest.approx(0.0, abs=0.2)
    assert heard[4].bps == pytest.approx(-20.0, abs=0.2)
    assert heard[-1].bps == 50.0  # 150, and no more than max_bps


def test_both_make_it_up_where_they_meet(replay: Any) -> None:
    heard = signals(replay, share_of_y=0.25)

    last = {signal.instrument_id: signal.bps for signal in heard[8:10]}
    assert last[Y] == pytest.approx(-5.0, abs=0.2)
    assert last[X] == pytest.approx(0.75 * 20.0 / BETA, abs=0.2)


def test_small_gaps_are_no_signal(replay: Any) -> None:
    assert [signal.bps for signal in signals(replay, min_z=1.0)[:8]] == [0.0] * 8  # 0.4 standard deviations


@pytest.mark.parametrize(
    ("min_z", "reasons"),
    [(0.0, [("next_sample",), ()]), (1.0, [("next_sample",), ("inside_band",), ()])],
)
def test_it_says_what_it_tells_and_why_it_tells_nothing(replay: Any, min_z: float, reasons: Any) -> None:
    signal = PairSignal(PairSignalConfig(pair=pairs().config.pair, share_of_y=0.25, min_z=min_z))
    asker = Asker(signal, X)

    replay(markets_of(perpetuals(), GAP, [5.0] * len(GAP)), [asker], on_engine=lambda engine: engine.add_actor(signal))

    last = asker.views[-1]
    assert asker.reasons == reasons
    assert {figure.of: figure.value for figure in last.figures if figure.name == "signal_bps"} == {
        Y: pytest.approx(37.5, abs=0.2),
        X: -50.0,  # 140, and no more than max_bps
    }
    assert [(level.name, abs(level.at)) for level in last.scales[0].levels] == [("min_z", min_z)] * (2 if min_z else 0)
    assert signal.view().silences == (NOT_RUNNING,)


def fill(side: str, alpha: float | None, price: str, mid: str, later: str) -> FillRecord:
    record = FillRecord(
        1, "S", Y, side, "MAKER", "O", "T", Decimal(price), Decimal(2), mid=Decimal(mid), alpha_bps=alpha
    )
    record.spread = record.sign * record.quantity * (record.mid - record.price)
    record.markout_mids[60] = Decimal(later)
    return record


def test_fills_are_told_apart_by_what_the_signal_said() -> None:
    fills = [
        fill("BUY", 3.0, "100", "101", "102"),
        fill("SELL", 3.0, "100", "99", "101"),
        fill("SELL", -1.0, "200", "200", "196"),
        fill("BUY", 0.0, "100", "100", "100"),
        fill("BUY", None, "100", "100", "100"),
    ]

    summary = alpha_summary(fills)

    assert {name: group["fills"] for name, group in summary.items()} == {
        "with_signal": 2,
        "against_signal": 1,
        "no_signal": 2,
    }
    assert summary["with_signal"]["spread_bps"] == pytest.approx(2 / 600 * 10_000)
    assert summary["with_signal"]["moved_bps"]["60s"] == pytest.approx((2 + 8) / 600 * 10_000)
    assert summary["against_signal"]["moved_bps"] == {"1s": None, "5s": None, "30s": None, "60s": -200.0, "300s": None}


def test_forgets_everything_on_reset(replay: Any) -> None:
    signal = PairSignal(PairSignalConfig(pair=pairs().config.pair))
    maker = pairs()

    replay(markets_of(perpetuals(), GAP, [5.0] * len(GAP)), [maker], on_engine=lambda engine: engine.add_actor(signal))
    signal.reset()

    assert signal._pair is None
