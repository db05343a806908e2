"""Makers that estimate their market while they run, on a market whose laws are known."""

from pathlib import Path
from typing import Any

import pytest

from data_catalog.store.contents import load_instruments
from data_catalog.store.stream import DataRequest, stream
from data_catalog.synth import SyntheticMarket, write_synthetic_market
from models.market_making.glft import glft_distances
from strategies.avellaneda_stoikov import AvellanedaStoikov, AvellanedaStoikovConfig
from strategies.glft import Glft, GlftConfig
from tests.engine_kit import Market

SYN = "SYNUSDT-PERP.BINANCE"
A, K, SIGMA = 1.0, 0.3, 0.8


@pytest.fixture(scope="module")
def known_market(tmp_path_factory: Any) -> Market:
    """Return an hour of a market with A = 1/s and side, k = 0.3/bp and no informed flow."""
    catalog = Path(tmp_path_factory.mktemp("known")) / "catalog"
    market = SyntheticMarket(
        hours=0.6,
        market_orders_per_s=A,
        depth_decay_per_bps=K,
        sigma_bps_per_sqrt_s=SIGMA,
        informed_pct=0,
        spread_ticks=2,
    )
    write_synthetic_market(catalog, market)
    requests = [DataRequest(SYN, "quotes"), DataRequest(SYN, "trades")]
    ticks = [tick for chunk in stream(catalog, requests, 0, 2**62) for tick in chunk]
    return Market(load_instruments(catalog, [SYN])[0], ticks)


def sizes(market: Market) -> dict[str, Any]:
    return {"instrument_id": market.instrument.id, "order_qty": 1.0, "max_position": 10.0}


def test_flow_and_volatility_are_found_and_quoted_by(known_market: Market, replay: Any) -> None:
    strategy = Glft(GlftConfig(**sizes(known_market), risk_aversion_per_bps=0.01, intensity_window_secs=1500))

    run = replay(known_market, [strategy], fills="optimistic")

    assert strategy.estimates.kappa_per_bps == pytest.approx(K, rel=0.1)
    assert strategy.estimates.intensity_per_s == pytest.approx(A, rel=0.15)
    assert SIGMA < strategy.estimates.sigma_bps < 2 * SIGMA  # rounding to ticks of 1 bp adds noise to every move
    assert len(run.ledger.fills) > 50


def test_what_the_setup_fixes_is_not_estimated(known_market: Market, replay: Any) -> None:
    config = GlftConfig(
        **sizes(known_market), risk_aversion_per_bps=0.01, kappa_per_bps=0.7, intensity_per_s=0.2, sigma_bps=1.5
    )
    strategy = Glft(config)

    replay(known_market, [strategy])

    estimates = strategy.estimates
    assert (estimates.kappa_per_bps, estimates.intensity_per_s, estimates.sigma_bps) == (0.7, 0.2, 1.5)
    assert not strategy.needs_flow()


def test_glft_quotes_are_those_of_the_formula(known_market: Market, replay: Any) -> None:
    config = GlftConfig(
        **sizes(known_market), risk_aversion_per_bps=0.05, kappa_per_bps=0.3, intensity_per_s=1.0, sigma_bps=0.8
    )
    first = Market(known_market.instrument, known_market.ticks[:40])

    run = replay(first, [Glft(config)])

    quote = first.ticks[0]
    mid = (quote.bid_price.as_double() + quote.ask_price.as_double()) / 2
    below, above = glft_distances(0.0, 0.05, 0.8, 1.0, 0.3)
    prices = sorted(float(order.events[0].options["price"]) for order in run.orders()[:2])
    assert prices[0] == pytest.approx(mid * (1 - below * 1e-4), abs=0.0101)
    assert prices[1] == pytest.approx(mid * (1 + above * 1e-4), abs=0.0101)


def test_avellaneda_stoikov_finds_kappa_for_itself(known_market: Market, replay: Any) -> None:
    config = AvellanedaStoikovConfig(
        **sizes(known_market), risk_aversion_per_bps=0.003, intensity_window_secs=1500, volatility_window_secs=60
    )
    strategy = AvellanedaStoikov(config)

    run = replay(known_market, [strategy], fills="optimistic")

    assert strategy.estimates.kappa_per_bps == pytest.approx(K, rel=0.1)
    assert len(run.ledger.fills) > 50


def test_nothing_is_quoted_before_the_market_is_known(known_market: Market, replay: Any) -> None:
    early = Market(known_market.instrument, known_market.ticks[:100])
    strategy = Glft(GlftConfig(**sizes(known_market), risk_aversion_per_bps=0.01))

    assert replay(early, [strategy]).orders() == []
