"""What a rebalancer waits for: found when somebody asks, from the plan that its next check would make."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from messages.views import NOT_RUNNING, Figure, Holding, Level, Scale, Silence, View
from models.market_making.quote_plan import Side
from models.portfolio.bands import outside
from strategies.crossing import CrossingAsset
from strategies.holdings import Portfolio
from strategies.rebalance_action import Floats, Plan, RebalanceAction

_PCT: Final = 100.0
_MS_NS: Final = 1_000_000
_TIMES: Final = {
    "next_check": "Next look",
    "next_interval": "All to their targets from",
    "next_weights": "New target weights from",
}


@dataclass(frozen=True, slots=True)
class RebalanceState:
    """
    A rebalancer at one moment.

    Parameters
    ----------
    running, restricted : bool
        Whether it runs, and whether a risk control allows less than everything.
    assets : sequence of CrossingAsset
        What it trades.
    portfolio : Portfolio, optional
        What is held; None while an asset has no price.
    targets : array, optional
        The target weights; None while too little is known.
    band : pair of array, optional
        The edges beyond which an asset is traded; None where nothing can be decided.
    plan : Plan, optional
        What a check would do now; None for nothing.
    action : RebalanceAction
        Carries out plans.
    no_weights : str
        Why no weights could be computed at the last check; empty where that went well.
    noted, needed : int
        The prices of how many checks are known, and are needed.
    times_ns : mapping
        When it looks next, trades to the targets next and computes weights next, UNIX ns.

    """

    running: bool
    restricted: bool
    assets: Sequence[CrossingAsset]
    portfolio: Portfolio | None
    targets: Floats | None
    band: tuple[Floats, Floats] | None
    plan: Plan | None
    action: RebalanceAction
    no_weights: str
    noted: int
    needed: int
    times_ns: Mapping[str, int | None]


def rebalance_view(owner_id: str, state: RebalanceState) -> View:
    """Return what whoever looks on is shown."""
    return View(
        owner_id=owner_id,
        silences=_silences(state),
        scales=(*_warm_up(state), *_weights(state)),
        figures=_figures(state),
        holdings=_holdings(state),
    )


# -- Why nothing is traded --------------------------------------------------------------------------------------------


def _silences(state: RebalanceState) -> tuple[Silence, ...]:
    if not state.running:
        return (NOT_RUNNING,)
    if state.action.under_way:
        return ()
    reason, text = _before_the_plan(state) or _of_the_plan(state)
    return (Silence(reason=reason, text=text),)


def _before_the_plan(state: RebalanceState) -> tuple[str, str] | None:
    if state.restricted:
        return "risk_control", "a risk control lets nothing be rebalanced"
    if state.portfolio is None:
        silent = ", ".join(asset.id.value for asset in state.assets if not asset.has_market)
        return "no_market_data", f"no quote of {silent} has come yet: nothing is weighed without it"
    return _without_weights(state) if state.targets is None else None


def _without_weights(state: RebalanceState) -> tuple[str, str]:
    if state.no_weights:
        return "no_weights", f"the target weights cannot be computed: {state.no_weights}"
    return "warming_up", f"warming up: prices of {state.noted} of the {state.needed} checks of the lookback are there"


def _of_the_plan(state: RebalanceState) -> tuple[str, str]:
    plan = state.plan
    if state.band is None:
        return "no_value", "the account holds nothing of these assets and of what they are quoted in"
    if plan is None:
        text = "every weight is within its band"
        at_all = state.times_ns["next_interval"] is not None
        return "within_bands", f"{text}, and the interval is not over" if at_all else text
    why = "the interval is over" if plan.reason == "interval" else f"{_out_of_band(state)} out of the band"
    reason, what = _obstacle(state, plan) or ("next_check", "traded at the next look")
    return reason, f"{why}: {what}"


def _obstacle(state: RebalanceState, plan: Plan) -> tuple[str, str] | None:
    """Return why nothing would come of a plan; None where it would be sent."""
    ways = [(asset, lots) for asset, lots in zip(state.assets, plan.trades, strict=True) if lots]
    if not ways:
        return "too_small", "what would be traded is less than the smallest order"
    if all(asset.limit_price(Side.BID if lots > 0 else Side.ASK) is None for asset, lots in ways):
        return "own_orders", "orders of other strategies of this system stand in the way"
    if all(lots > 0 for _, lots in ways) and not any(state.action.affordable(plan)):
        return "cannot_pay", "the free cash pays for less than the smallest order"
    if state.action.in_vain:
        return "not_sent", "no order of the last rebalancing could be sent; tried again at the next look"
    return None


def _out_of_band(state: RebalanceState) -> str:
    assert state.portfolio is not None
    assert state.band is not None
    out = outside(state.portfolio.weights, *state.band)
    names = [asset.instrument.base_currency.code for asset, is_out in zip(state.assets, out, strict=True) if is_out]
    return f"{' and '.join(names)} {'are' if len(names) > 1 else 'is'}"


# -- Figures ----------------------------------------------------------------------------------------------------------


def _warm_up(state: RebalanceState) -> tuple[Scale, ...]:
    if state.noted >= state.needed:
        return ()
    label = "Prices of the lookback"
    return (Scale(name="prices", label=label, value=state.noted, low=0.0, high=float(state.needed)),)


def _weights(state: RebalanceState) -> tuple[Scale, ...]:
    """Return each asset's weight in its band, all on one scale."""
    if state.portfolio is None or state.targets is None or state.band is None:
        return ()
    weights, (lower, upper) = state.portfolio.weights, state.band
    high = min(_PCT, 1.15 * _PCT * float(max(weights.max(), upper.max())))
    rows = zip(state.assets, weights.tolist(), state.targets.tolist(), lower.tolist(), upper.tolist(), strict=True)
    return tuple(
        Scale(
            name="weight",
            of=asset.id.value,
            label=asset.instrument.base_currency.code,
            value=weight * _PCT,
            unit="pct",
            low=0.0,
            high=high,
            inside=(low * _PCT, up * _PCT),
            levels=(Level(name="target", at=target * _PCT),),
        )
        for asset, weight, target, low, up in rows
    )


def _figures(state: RebalanceState) -> tuple[Figure, ...]:
    figures = [
        Figure(name=f"{name}_ms", label=_TIMES[name], value=at // _MS_NS or None, text="" if at else "the next look",
               unit="ms_utc")
        for name, at in state.times_ns.items()
        if at is not None
    ]  # fmt: skip
    if state.portfolio is not None and state.portfolio.equity > 0:
        currency = state.assets[0].instrument.quote_currency.code
        cash = state.portfolio.cash
        share = f"{cash / state.portfolio.equity:.1%}"
        figures.append(Figure(name="value", label="Assets and cash", value=state.portfolio.equity, unit=currency))
        figures.append(Figure(name="cash", label="Cash", value=cash, unit=currency, note=share))
    if state.action.under_way:
        figures.append(Figure(name="under_way", label="Under way", text="a rebalancing"))
    return tuple(figures)


def _holdings(state: RebalanceState) -> tuple[Holding, ...]:
    targets = [None] * len(state.assets) if state.targets is None else state.targets.tolist()
    return tuple(
        Holding(instrument_id=asset.id.value, held_qty=asset.held(), target_qty=_target_quantity(asset, state, target))
        for asset, target in zip(state.assets, targets, strict=True)
    )


def _target_quantity(asset: CrossingAsset, state: RebalanceState, target: float | None) -> Decimal | None:
    if state.portfolio is None or target is None:
        return None
    quantity = Decimal(target) * state.portfolio.equity / asset.mid()
    return quantity.quantize(asset.grid.step)
