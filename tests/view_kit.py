"""Asks a strategy or an actor again and again what it is after, as the live page does."""

from typing import Any

from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.trading.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy

from messages.views import View


class Asker(Strategy):
    """Asks at every quote of an instrument, after whoever is asked has acted."""

    def __init__(self, asked: Any, instrument_id: InstrumentId | str) -> None:
        super().__init__(StrategyConfig(order_id_tag="ASK"))
        self.asked = asked
        self.instrument_id = InstrumentId.from_str(str(instrument_id))
        self.views: list[View] = []

    def on_start(self) -> None:
        self.subscribe_quote_ticks(self.instrument_id)

    def on_quote_tick(self, tick: Any) -> None:
        self.views.append(self.asked.view())

    @property
    def reasons(self) -> list[tuple[str, ...]]:
        """Return why nothing was done at each look; looks that say the same as the last are left out."""
        said = [tuple(silence.reason for silence in view.silences) for view in self.views]
        return [reasons for i, reasons in enumerate(said) if i == 0 or reasons != said[i - 1]]

    def text_of(self, reason: str) -> str:
        """Return the last sentence for a reason."""
        return [one.text for view in self.views for one in view.silences if one.reason == reason][-1]


def figures_of(view: View) -> dict[str, Any]:
    """Return what a view says by name: figures by their value or text, scales by their value."""
    figures = {figure.name: figure.value if figure.value is not None else figure.text for figure in view.figures}
    return {**figures, **{f"{scale.name} {scale.of}".strip(): scale.value for scale in view.scales}}
