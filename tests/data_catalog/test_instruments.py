import json
import tarfile
from decimal import Decimal
from pathlib import Path

import pytest
from nautilus_trader.model.instruments import CryptoPerpetual, CurrencyPair
from nautilus_trader.model.objects import Currency, Money

from bad_input import BadInput
from data_catalog.exchange_info import read_exchange_info
from data_catalog.instruments import DEFINITIONS, build_instrument, currency, find_instrument, synthetic_perpetual

PRICE_FILTER = {"filterType": "PRICE_FILTER", "minPrice": "0.00", "maxPrice": "99999.99", "tickSize": "0.50000000"}
LOT_SIZE = {"filterType": "LOT_SIZE", "minQty": "0.00015", "maxQty": "900.00019", "stepSize": "0.00010000"}


def exchange_info(tmp_path: Path, **changes) -> Path:
    symbol = {"symbol": "FOOUSDT", "baseAsset": "FOO", "quoteAsset": "USDT", "filters": [PRICE_FILTER, LOT_SIZE]}
    path = tmp_path / "exchange_info.json"
    path.write_text(json.dumps({"timezone": "UTC", "symbols": [symbol | changes]}))
    return path


@pytest.mark.parametrize(
    ("instrument_id", "kind", "tick", "step", "min_notional", "maker", "taker"),
    [
        ("NEXOUSDT.BINANCE", CurrencyPair, "0.001", "0.01", "10", "0.001", "0.001"),
        ("BTCUSDT.BINANCE", CurrencyPair, "0.01", "0.00001", "5", "0.001", "0.001"),
        ("IOTABTC.BINANCE", CurrencyPair, "0.00000001", "1", "0.0001", "0.001", "0.001"),
        ("BTCUSDT-PERP.BINANCE", CryptoPerpetual, "0.1", "0.001", "100", "0.0002", "0.0005"),
        ("ETHUSDT-PERP.BINANCE", CryptoPerpetual, "0.01", "0.001", "20", "0.0002", "0.0005"),
        ("SYNUSDT-PERP.BINANCE", CryptoPerpetual, "0.01", "0.001", "5", "0.0002", "0.0005"),
        ("SYNBUSDT-PERP.BINANCE", CryptoPerpetual, "0.01", "0.001", "5", "0.0002", "0.0005"),
    ],
)
def test_known_instruments_have_the_rules_of_the_exchange(instrument_id, kind, tick, step, min_notional, maker, taker):
    instrument = find_instrument(instrument_id)
    assert type(instrument) is kind
    assert str(instrument.id) == instrument_id
    assert instrument.price_increment.as_decimal() == Decimal(tick)
    assert instrument.size_increment.as_decimal() == Decimal(step)
    assert instrument.price_precision == -Decimal(tick).as_tuple().exponent
    assert instrument.min_notional == Money(Decimal(min_notional), instrument.quote_currency)
    assert (instrument.maker_fee, instrument.taker_fee) == (Decimal(maker), Decimal(taker))


@pytest.mark.parametrize("name", ["spot.json", "usdm.json"])
def test_every_definition_of_the_project_can_be_built_and_survives_its_own_dictionary(name):
    ids = list(read_exchange_info(DEFINITIONS / name))
    assert ids
    for instrument_id in ids:
        instrument = find_instrument(instrument_id)
        copy = type(instrument).from_dict(instrument.to_dict(instrument))
        assert copy.to_dict(copy) == instrument.to_dict(instrument)


def test_limits_are_on_the_grid_inside_the_venues_and_zero_means_none(tmp_path):
    instrument = find_instrument("FOOUSDT.BINANCE", exchange_info(tmp_path))
    assert instrument.min_price is None
    assert str(instrument.max_price) == "99999.5"
    assert str(instrument.min_quantity) == "0.0002"
    assert str(instrument.max_quantity) == "900.0001"
    assert instrument.min_notional is None


@pytest.mark.parametrize(
    ("notional_filter", "contract", "expected_id"),
    [
        ({"filterType": "MIN_NOTIONAL", "minNotional": "7.00"}, {}, "FOOUSDT.BINANCE"),
        ({"filterType": "NOTIONAL", "minNotional": "7.00", "applyMinToMarket": True}, {}, "FOOUSDT.BINANCE"),
        (
            {"filterType": "MIN_NOTIONAL", "notional": "7"},
            {"contractType": "PERPETUAL", "marginAsset": "USDT"},
            "FOOUSDT-PERP.BINANCE",
        ),
    ],
)
def test_minimum_notional_is_read_from_every_shape(tmp_path, notional_filter, contract, expected_id):
    path = exchange_info(tmp_path, filters=[PRICE_FILTER, LOT_SIZE, notional_filter], **contract)
    assert find_instrument(expected_id, path).min_notional == Money(7, Currency.from_str("USDT"))


def test_a_given_file_overrides_the_projects_definition(tmp_path):
    path = exchange_info(tmp_path, symbol="NEXOUSDT", baseAsset="NEXO")
    assert str(find_instrument("NEXOUSDT.BINANCE", path).price_increment) == "0.5"
    assert str(find_instrument("BTCUSDT.BINANCE", path).price_increment) == "0.01"


def test_dated_futures_are_not_offered(tmp_path):
    path = exchange_info(tmp_path, symbol="FOOUSDT_210924", contractType="CURRENT_QUARTER", marginAsset="USDT")
    assert read_exchange_info(path) == {}


def test_unknown_id_offers_the_nearest():
    with pytest.raises(BadInput, match=r'"NEXUSDT.BINANCE".*did you mean "NEXOUSDT.BINANCE"'):
        find_instrument("NEXUSDT.BINANCE")


@pytest.mark.parametrize(
    "text", ["", "[]", '{"symbols": [{"symbol": 3}]}', '{"symbols": {}}', '{"symbols": [', "\x1f\x8b"]
)
def test_a_file_of_another_shape_is_bad_input_naming_the_file(tmp_path, text):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(BadInput, match=r"other\.json: is not an exchangeInfo answer"):
        find_instrument("NEXOUSDT.BINANCE", path)


def test_a_missing_file_is_bad_input(tmp_path):
    with pytest.raises(BadInput, match="No such file"):
        find_instrument("NEXOUSDT.BINANCE", tmp_path / "none.json")


@pytest.mark.parametrize(
    "filters",
    [
        [],
        [PRICE_FILTER],
        [PRICE_FILTER | {"tickSize": "0.00000000"}, LOT_SIZE],
        [PRICE_FILTER, LOT_SIZE | {"stepSize": "-1"}],
        [PRICE_FILTER | {"tickSize": "small"}, LOT_SIZE],
        [PRICE_FILTER, LOT_SIZE | {"maxQty": "1e30"}],
    ],
)
def test_unusable_filters_are_bad_input_naming_the_symbol(tmp_path, filters):
    with pytest.raises(BadInput, match="filters of FOOUSDT cannot be used"):
        find_instrument("FOOUSDT.BINANCE", exchange_info(tmp_path, filters=filters))


def test_synthetic_perpetual_has_the_decimals_asked_for():
    instrument = synthetic_perpetual("SYNXUSDT", price_precision=4, size_precision=0, min_notional=Decimal(1))
    assert str(instrument.price_increment) == "0.0001"
    assert str(instrument.size_increment) == "1"
    assert str(instrument.base_currency) == "SYNX"


def test_synthetic_symbol_must_be_quoted_in_usdt():
    with pytest.raises(BadInput, match="SYNBTC"):
        synthetic_perpetual("SYNBTC")


def test_currencies_are_registered_once_and_known_ones_are_kept():
    assert currency("BTC").name == "Bitcoin"
    assert currency("NEXOX").precision == 8
    assert currency("NEXOX") == currency("NEXOX") == Currency.from_str("NEXOX", strict=True)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("member", "instrument_id", "tick", "step", "min_notional"),
    [
        ("BINANCE.0", "BTCUSDT.BINANCE", "0.01", "0.00001", "10"),
        ("BINANCE_TR.0", "NEXOUSDT.BINANCE", "0.001", "0.01", "10"),
        ("BINANCE_FUTURES.0", "BTCUSDT-PERP.BINANCE", "0.01", "0.001", "5"),
    ],
)
def test_whole_exchange_info_answers_are_read(shared_data, tmp_path, member, instrument_id, tick, step, min_notional):
    with tarfile.open(shared_data / "api_captures" / "cryptofeed_binance_captures.tar.xz") as archive:
        text = archive.extractfile(member).read().decode()
    answer, _ = json.JSONDecoder().raw_decode(text[text.index("{") :])
    path = tmp_path / "info.json"
    path.write_text(json.dumps(answer))
    instruments = {known: build_instrument(info) for known, info in read_exchange_info(path).items()}
    assert len(instruments) > 100
    assert all(str(instrument.id) == known for known, instrument in instruments.items())
    instrument = find_instrument(instrument_id, path)
    assert str(instrument.price_increment) == tick
    assert str(instrument.size_increment) == step
    assert instrument.min_notional.as_decimal() == Decimal(min_notional)
