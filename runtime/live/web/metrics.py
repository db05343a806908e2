"""A state as Prometheus reads it, with the extra `metrics` (prometheus-client)."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from messages.views import Scale
from runtime.live.web.state import State

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
MISSING: Final = "the metrics need the extra `metrics`: uv sync --extra metrics"

_STATES: Final = ("RUNNING", "REDUCING", "HALTED")


def metrics_text(state: State) -> bytes | None:
    """Return a state in Prometheus's text format; None where prometheus-client is not installed."""
    try:
        from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 (an extra)
        from prometheus_client.registry import Collector  # noqa: PLC0415
    except ImportError:
        return None

    class OfState(Collector):
        def collect(self) -> Iterator[Any]:
            return _families(state)

    registry = CollectorRegistry()
    registry.register(OfState())
    return generate_latest(registry)


def _families(state: State) -> Iterator[Any]:
    yield _gauge("info", "What is traded; always 1.", ("setup", "label", "run_id"), [(_of_run(state), 1)])
    yield _gauge("status", "1 for the status that holds.", ("status",), [((state.status,), 1)])
    yield _gauge("state_seconds", "What this state took of the trading loop.", (), [((), state.made_in_us / 1e6)])
    yield _gauge(
        "why_not", "1 for each reason that keeps from quoting or trading.", ("reason", "scope", "side"), _reasons(state)
    )
    yield from _money(state)
    yield from _markets(state)
    yield from _makers(state)
    yield from _views(state)
    yield from _risk(state)
    connected = [((name,), int(stands)) for name, stands in state.connections.items()]
    yield _gauge("connected", "1 while a connection stands.", ("connection",), connected)


def _of_run(state: State) -> tuple[str, ...]:
    return state.run.setup, state.run.label, state.run.run_id


def _reasons(state: State) -> list[tuple[tuple[str, ...], float]]:
    return [(labels, 1) for labels in {(each.reason, each.scope, each.side or "") for each in state.why_not}]


def _money(state: State) -> Iterator[Any]:
    money = state.money
    if money is None:
        return
    currency = state.run.currency
    for name, text, value in (
        ("equity", "All balances and positions at the mid.", money.equity),
        ("pnl", "Equity less equity at the start.", money.pnl),
        ("trading_pnl", "P&L without the price change of what was held before.", money.trading_pnl),
    ):
        yield _gauge(name, text, ("currency",), [((currency,), float(value))])
    parts = [
        ((name, currency), float(getattr(money.parts, name))) for name in ("spread", "inventory", "fees", "funding")
    ]
    yield _gauge("pnl_part", "The parts of the P&L.", ("part", "currency"), parts)
    yield _counter("fills", "Fills so far.", (), [((), money.fills)])


def _markets(state: State) -> Iterator[Any]:
    labels = ("instrument",)
    for name, text, key in (
        ("market_bid", "The market's best bid.", "bid"),
        ("market_ask", "The market's best ask.", "ask"),
        ("market_age_seconds", "How old the last quote is.", "age_secs"),
        ("held", "What the account holds, in the base asset.", "held"),
    ):
        values = [((market.instrument,), getattr(market, key)) for market in state.markets]
        yield _gauge(name, text, labels, [(of, float(value)) for of, value in values if value is not None])


def _makers(state: State) -> Iterator[Any]:
    labels = ("strategy", "instrument", "side")
    makers = [maker for maker in state.strategies if maker.is_maker]
    sides = [
        ((maker.strategy, maker.instrument or "", side), quote)
        for maker in makers
        for side, quote in (("bid", maker.bid), ("ask", maker.ask))
    ]
    quoting = [(of, int(quote is not None)) for of, quote in sides]
    yield _gauge("quoting", "1 while a side has an order.", labels, quoting)
    shown = [(of, quote) for of, quote in sides if quote is not None]
    yield _gauge("quote_price", "The best own price.", labels, [(of, float(quote.price)) for of, quote in shown])
    distances = [(of, quote.to_touch_bps) for of, quote in shown if quote.to_touch_bps is not None]
    yield _gauge("quote_to_touch_bps", "How far behind the market's best it stands.", labels, distances)
    held = [
        ((maker.strategy, maker.instrument or ""), float(maker.inventory))
        for maker in makers
        if maker.inventory is not None
    ]
    yield _gauge("inventory", "Held above the target, in the base asset.", ("strategy", "instrument"), held)
    yield _gauge("open_orders", "Orders that may still fill.", (), [((), len(state.orders) + state.orders_left_out)])


def _views(state: State) -> Iterator[Any]:
    """Return whatever strategies and signals say of themselves in numbers."""
    of = ("strategy", "figure", "of")
    shown = [*state.strategies, *state.signals]
    numbers = [((each.strategy, scale.name, scale.of), scale.value) for each in shown for scale in each.scales]
    numbers += [((each.strategy, figure.name, figure.of), figure.value) for each in shown for figure in each.figures]
    known = [(labels, float(value)) for labels, value in dict(numbers).items() if value is not None]
    yield _gauge("figure", "What a strategy decides by, as it says itself.", of, known)
    levels = [
        ((each.strategy, scale.name, scale.of, *level), at)
        for each in shown
        for scale in each.scales
        for level, at in _levels(scale)
    ]
    yield _gauge("figure_level", "The thresholds of a figure.", (*of, "level", "end"), levels)
    for name, text, key in (
        ("strategy_held", "What a strategy holds, in the base asset.", "held_qty"),
        ("strategy_wanted", "What it wants to hold, in the base asset.", "target_qty"),
    ):
        values = [((each.strategy, one.instrument_id), getattr(one, key)) for each in shown for one in each.holdings]
        samples = [(labels, float(value)) for labels, value in values if value is not None]
        yield _gauge(name, text, ("strategy", "instrument"), samples)


def _levels(scale: Scale) -> Iterator[tuple[tuple[str, str], float]]:
    """Return each level, and the ends of what is left alone; of several of a name the lower and the upper one."""
    if scale.inside is not None:
        yield from zip((("inside", "lower"), ("inside", "upper")), scale.inside, strict=True)
    for name in {level.name: None for level in scale.levels}:
        ats = sorted(level.at for level in scale.levels if level.name == name)
        yield (name, "lower"), ats[0]
        if len(ats) > 1:
            yield (name, "upper"), ats[-1]


def _risk(state: State) -> Iterator[Any]:
    states = [((each.scope, name), int(each.state == name)) for each in state.risk for name in _STATES]
    yield _gauge("risk_state", "1 for the state that holds.", ("scope", "state"), states)
    used = [((limit.rule, limit.scope), limit.used_pct / 100) for limit in state.limits if limit.used_pct is not None]
    yield _gauge("limit_used_ratio", "How much of a limit is used; 1 is at the limit.", ("rule", "scope"), used)
    refused = [((refusal.rule, refusal.strategy), refusal.count) for refusal in state.refusals]
    yield _counter("refusals", "Orders that the guard refused.", ("rule", "strategy"), refused)


type _Samples = Sequence[tuple[tuple[str, ...], float]]


def _gauge(name: str, text: str, labels: tuple[str, ...], samples: _Samples) -> Any:
    from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 (an extra)

    return _filled(GaugeMetricFamily(f"ballast_{name}", text, labels=labels), samples)


def _counter(name: str, text: str, labels: tuple[str, ...], samples: _Samples) -> Any:
    from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415 (an extra)

    return _filled(CounterMetricFamily(f"ballast_{name}", text, labels=labels), samples)


def _filled(family: Any, samples: _Samples) -> Any:
    for labels, value in samples:
        family.add_metric(labels, value)
    return family
