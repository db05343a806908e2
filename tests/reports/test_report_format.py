from decimal import Decimal

import pytest

from reports import format as fmt


@pytest.mark.parametrize(
    ("value", "decimals", "signed", "expected"),
    [
        (1234567.891, 2, False, "1,234,567.89"),
        (1234.5, 2, True, "+1,234.50"),
        (-1234.5, 2, True, "−1,234.50"),
        (-0.001, 2, True, "0.00"),
        (0.0, 0, True, "0"),
        (-0.4, 0, False, "0"),
        (Decimal("-0.00000001"), 8, False, "−0.00000001"),
        (Decimal("1.005"), 2, False, "1.00"),
    ],
)
def test_number_is_grouped_signed_and_never_minus_zero(
    value: float | Decimal, decimals: int, signed: bool, expected: str
) -> None:
    assert fmt.number(value, decimals, signed=signed) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((1234.5,), 2),
        ((12.345678, -0.5), 3),
        ((0.0512345,), 6),
        ((1e-12,), 8),
        ((0.0, None), 2),
        ((), 2),
        ((float("inf"),), 2),
    ],
)
def test_decimals_follow_the_largest_figure(values: tuple[float | None, ...], expected: int) -> None:
    assert fmt.decimals_for(*values) == expected


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (fmt.money(-6.0881872, "USDT", signed=True), "−6.0882 USDT"),
        (fmt.money(0.00012345, "BTC"), "0.00012345 BTC"),
        (fmt.percent(-0.60881872, signed=True), "−0.609 %"),
        (fmt.percent(0.00004), "0.0000 %"),
        (fmt.basis_points(9.0394), "9.04 bps"),
        (fmt.count(112_899), "112,899"),
        (fmt.duration(11.83), "11.8 s"),
        (fmt.duration(59.97), "60.0 s"),
        (fmt.duration(330), "5 min 30 s"),
        (fmt.duration(86_390), "24 h 0 min"),
        (fmt.duration(10 * 86_400 + 7_200), "10 d 2 h"),
    ],
)
def test_figures_carry_their_unit(shown: str, expected: str) -> None:
    assert shown == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-07-23T15:40:00+00:00", "2024-07-23 15:40:00"),
        ("2024-07-23T15:40:00Z", "2024-07-23 15:40:00"),
        ("2024-07-23T17:40:00+02:00", "2024-07-23 15:40:00"),
        ("2024-07-23T15:40:00", "2024-07-23 15:40:00"),
        ("not a time", "not a time"),
        (1_721_749_200_123_999_999, "2024-07-23 15:40:00.123"),
    ],
)
def test_moment_is_utc(value: str | int, expected: str) -> None:
    assert fmt.moment(value) == expected


def test_seconds_between_mixed_offsets() -> None:
    assert fmt.seconds_between("2024-07-23T17:40:00+02:00", "2024-07-23T15:41:00") == 60.0
    assert fmt.seconds_between("", "2024-07-23T15:41:00") is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([Decimal("1.2340"), Decimal("1.2")], 3),
        ([Decimal(100), None], 0),
        ([Decimal("1E+3")], 0),
        ([Decimal("0.000000000000000000")], 0),
        ([], 0),
    ],
)
def test_decimals_used_ignores_closing_zeros(values: list[Decimal | None], expected: int) -> None:
    assert fmt.decimals_used(values) == expected


def test_printable_disarms_terminal_escapes() -> None:
    assert fmt.printable("a\x1b[31mred\x07\u202e\nb") == "a?[31mred??\nb"


def test_flat_writes_objects_on_one_line() -> None:
    assert fmt.flat({"reason": "drawdown", "limit": 5}) == "reason: drawdown, limit: 5"
    assert fmt.flat(None) == fmt.flat("") == fmt.MISSING
