"""What the watch of the market says, against a recount of every look: no look that it saves itself is missed."""

import random
from decimal import Decimal
from typing import Any

import pytest
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy

from actors.market_watch import MarketWatch, MarketWatchConfig
from messages.risk import ALARM_TOPIC
from tests.engine_kit import START_NS

WINDOW_SECS, LIMIT_BPS = 10, 100


class Listener(Strategy):
    """Notes every alarm as seconds from the start and whether it ends one."""

    def __init__(self) -> None:
        super().__init__(StrategyConfig())
        self.alarms: list[tuple[int, bool, Decimal]] = []

    def on_start(self) -> None:
        self.msgbus.subscribe(ALARM_TOPIC, self._note)

    def _note(self, alarm: Any) -> None:
        self.alarms.append(((alarm.ts_ns - START_NS) // 10**9, alarm.over, alarm.breach.value))


def recount(quotes: list[tuple[float, float | None]]) -> list[tuple[int, bool]]:
    """Look at the mid of the last quote at every whole second; one that is crossed (None) says nothing of the price."""
    looks: list[tuple[int, float]] = []
    alarms, raised = [], False
    for second in range(1, int(quotes[-1][0]) + 1):
        mid = next(mid for at, mid in reversed(quotes) if at <= second)
        looks.append((second, looks[-1][1] if mid is None else mid))
        kept = [mid for at, mid in looks if at > second - WINDOW_SECS]
        beyond = (max(kept) - min(kept)) * 10_000 > LIMIT_BPS * min(kept) + 1e-6
        if beyond is not raised:
            raised = beyond
            alarms.append((second, not beyond))
    return alarms


@pytest.mark.parametrize("seed", range(8))
def test_moves_are_found_as_if_every_look_were_made(seed: int, market_of: Any, replay: Any, perpetual: Any) -> None:
    rng, market = random.Random(seed), market_of(perpetual)
    at, price, quotes = 0.25, 100.0, list[tuple[float, float | None]]()
    for number in range(120):
        price += rng.choice((-0.2, 0, 0, 0, 0.2, 0.6, -0.6))
        crossed = number > 4 and rng.random() < 0.05
        market.quote(at, price + 0.01 if crossed else price - 0.01, price + 0.01, bid_size=rng.randint(1, 9))
        quotes.append((at, None if crossed else price))
        at += rng.choice((0.25, 0.25, 1, 2, 7, 9, 14))
    config = MarketWatchConfig(
        instrument_ids=(perpetual.id,),
        max_price_move_bps=Decimal(LIMIT_BPS),
        price_move_window_secs=Decimal(WINDOW_SECS),
    )
    listener = Listener()

    replay(market, [listener], on_engine=lambda engine: engine.add_actor(MarketWatch(config)))

    expected = recount(quotes)
    assert [(second, over) for second, over, _ in listener.alarms] == expected
    assert len(expected) > 4


def test_a_price_that_stood_still_for_longer_than_the_window_is_where_a_jump_starts(
    market_of: Any, replay: Any, perpetual: Any
) -> None:
    market = market_of(perpetual)
    for at, mid in ((0, 100.0), (95.5, 102.0), (120, 102.0)):
        market.quote(at, mid - 0.01, mid + 0.01, bid_size=1 + at)
    config = MarketWatchConfig(
        instrument_ids=(perpetual.id,),
        max_price_move_bps=Decimal(LIMIT_BPS),
        price_move_window_secs=Decimal(WINDOW_SECS),
    )
    listener = Listener()

    replay(market, [listener], on_engine=lambda engine: engine.add_actor(MarketWatch(config)))

    assert listener.alarms == [(96, False, Decimal(200)), (105, True, Decimal(0))]
