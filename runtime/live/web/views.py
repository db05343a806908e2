"""What strategies and actors say of themselves, and what is known of those that say nothing."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from nautilus_trader.common.actor import Actor

from actors.ledger import Ledger
from messages.views import Figure, Holding, QuotingView, Silence, View
from runtime.live.web.quotes import own_quotes
from runtime.live.web.state import Market, OpenOrder, Strategy


@runtime_checkable
class Explained(Protocol):
    """Says at any moment, without any effect, what it is after."""

    @property
    def id(self) -> Any:
        """Who it is."""

    def view(self) -> View:
        """Return what it is after."""


def views_of(components: Sequence[Actor]) -> dict[str, View]:
    """Return by id what each component says that says anything."""
    return {each.id.value: _view_of(each) for each in components if isinstance(each, Explained)}


def _view_of(component: Any) -> View:
    """Return a component's view: a user's own may fail, and must not take the page of all others with it."""
    try:
        view = component.view()
    except Exception as error:  # noqa: BLE001 (a user's code; the page says what it raised)
        problem = f"raised {error!r}"
    else:
        if isinstance(view, View):
            return view
        problem = f"returned a {type(view).__name__}, expected a messages.views.View"
    return View(owner_id=component.id.value, silences=(Silence(reason="view_failed", text=f"its view() {problem}"),))


def strategy_of(
    component: Any, view: View | None, orders: Sequence[OpenOrder], markets: Mapping[str, Market], ledger: Ledger
) -> Strategy:
    """Return a strategy or actor as plain values; `view` is what it says of itself, None where it says nothing."""
    name = component.id.value
    own = [order for order in orders if order.strategy == name]
    maker = view if isinstance(view, QuotingView) else None
    bid, ask = (None, None) if maker is None else own_quotes(own, markets[maker.instrument_id])
    return Strategy(
        strategy=name,
        instrument=None if maker is None else maker.instrument_id,
        is_maker=maker is not None,
        bid=bid,
        ask=ask,
        fair_value=None if maker is None else maker.fair_value,
        inventory=None if maker is None else maker.inventory_qty,
        max_inventory=None if maker is None else maker.max_position_qty,
        state=component.state.name,
        is_explained=view is not None,
        open_orders=len(own),
        scales=[] if view is None else list(view.scales),
        figures=_known(component, len(own)) if view is None else list(view.figures),
        holdings=_traded(name, ledger) if view is None else list(view.holdings),
    )


def _known(component: Any, open_orders: int) -> list[Figure]:
    return [
        Figure(name="state", label="State", text=component.state.name.lower()),
        Figure(name="open_orders", label="Open orders", value=open_orders),
    ]


def _traded(name: str, ledger: Ledger) -> list[Holding]:
    books = [(instrument, book) for (owner, instrument), book in ledger.books.items() if owner == name]
    return [Holding(instrument_id=instrument, held_qty=book.position) for instrument, book in books]
