"""What the venue charges in a backtest, from the asset that Binance takes it from."""

from decimal import Decimal

from nautilus_trader.backtest.models import FeeModel, MakerTakerFeeModel
from nautilus_trader.model.enums import LiquiditySide, OrderSide
from nautilus_trader.model.instruments import CurrencyPair, Instrument
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.model.orders import Order

from runtime.setup.sections import Fees

_BPS = Decimal("0.0001")


class ReceivedAssetFeeModel(FeeModel):
    """Binance spot without BNB: a buy pays its fee in the base asset that it receives, a sale in the quote currency."""

    def __init__(self) -> None:
        super().__init__()

    def get_commission(self, order: Order, fill_qty: Quantity, fill_px: Price, instrument: Instrument) -> Money:
        """Return the commission of one fill."""
        maker = order.liquidity_side == LiquiditySide.MAKER
        rate = instrument.maker_fee if maker else instrument.taker_fee
        if order.side == OrderSide.BUY:
            return Money(fill_qty.as_decimal() * rate, instrument.base_currency)
        return Money(fill_qty.as_decimal() * fill_px.as_decimal() * rate, instrument.quote_currency)


def fee_model(fees: Fees, spot: bool) -> FeeModel:
    """Return the engine's fee model for a spot or a futures venue."""
    return ReceivedAssetFeeModel() if spot and fees.paid_in == "received" else MakerTakerFeeModel()


def with_fees(instrument: Instrument, fees: Fees) -> Instrument:
    """Return `instrument` with the fees of the setup; those of its definition where the setup names none."""
    values = type(instrument).to_dict(instrument)
    if fees.maker_bps is not None:
        values["maker_fee"] = str(fees.maker_bps * _BPS)
    if fees.taker_bps is not None:
        values["taker_fee"] = str(fees.taker_bps * _BPS)
    return type(instrument).from_dict(values)


def is_spot(instrument: Instrument) -> bool:
    """Return whether `instrument` trades on spot."""
    return isinstance(instrument, CurrencyPair)
