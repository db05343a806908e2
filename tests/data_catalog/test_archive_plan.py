from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bad_input import BadInput
from data_catalog.archive.index import ArchiveFile, ArchiveKind, Market, Period
from data_catalog.archive.plan import check_days, check_kind, missing_lines, plan_files, why_missing

TODAY = date(2024, 9, 20)


def like(kind: str, interval: str | None = None) -> ArchiveFile:
    return ArchiveFile("BTCUSDT", ArchiveKind(kind), interval, Period(date(2024, 1, 1), monthly=False))


def names(files: list[ArchiveFile]) -> list[str]:
    return [file.name.removeprefix("BTCUSDT-").removesuffix(".zip") for file in files]


@pytest.mark.parametrize(
    ("kind", "interval", "first", "last", "files", "expected"),
    [
        ("aggTrades", None, "2024-08-31", "2024-09-01", "auto", ["aggTrades-2024-08-31", "aggTrades-2024-09-01"]),
        ("klines", "1m", "2024-06-30", "2024-08-01", "auto", ["1m-2024-06-30", "1m-2024-07", "1m-2024-08-01"]),
        ("klines", "1m", "2024-07-01", "2024-08-31", "auto", ["1m-2024-07", "1m-2024-08"]),
        ("klines", "1m", "2024-07-31", "2024-08-01", "monthly", ["1m-2024-07", "1m-2024-08"]),
        ("klines", "1w", "2024-08-05", "2024-08-06", "auto", ["1w-2024-08"]),
        ("fundingRate", None, "2023-12-31", "2024-01-01", "auto", ["fundingRate-2023-12", "fundingRate-2024-01"]),
    ],
)
def test_which_files_are_asked_for(kind, interval, first, last, files, expected):
    days = date.fromisoformat(first), date.fromisoformat(last)
    plan = plan_files(like(kind, interval), *days, today=TODAY, files=files)
    assert names(plan.files) == expected
    assert plan.stored == []


@pytest.mark.parametrize(("files", "kind"), [("daily", "klines"), ("auto", "aggTrades")])
def test_a_whole_month_can_come_in_days(files, kind):
    interval = "1m" if kind == "klines" else None
    plan = plan_files(like(kind, interval), date(2024, 7, 1), date(2024, 7, 31), today=TODAY, files=files)
    assert [file.period for file in plan.files] == list(Period(date(2024, 7, 1), monthly=True).days())


def test_a_month_that_has_just_ended_comes_in_days():
    days = date(2024, 8, 1), date(2024, 8, 31)
    assert len(plan_files(like("klines", "1m"), *days, today=date(2024, 9, 8)).files) == 31
    assert len(plan_files(like("klines", "1m"), *days, today=date(2024, 9, 9)).files) == 1


def test_a_month_of_which_the_catalog_has_days_comes_in_days():
    days = date(2024, 7, 1), date(2024, 7, 31)
    plan = plan_files(like("klines", "1m"), *days, today=TODAY, stored={"BTCUSDT-1m-2024-07-05.zip"})
    assert len(plan.files) == 31


@pytest.mark.parametrize("kind", [("klines", "1m"), ("aggTrades", None)])
def test_days_of_a_month_that_the_catalog_has_are_there(kind):
    wanted = like(*kind)
    month = wanted.of(Period(date(2024, 7, 1), monthly=True))
    plan = plan_files(wanted, date(2024, 7, 30), date(2024, 8, 1), today=TODAY, stored={month.name})
    assert [str(file.period) for file in plan.stored] == ["2024-07-30", "2024-07-31"]
    assert [str(file.period) for file in plan.files] == ["2024-08-01"]
    whole = plan_files(wanted, date(2024, 7, 1), date(2024, 7, 31), today=TODAY, stored={month.name})
    assert (whole.files, whole.stored) == ([month], [])


@given(
    start=st.dates(date(2020, 1, 1), date(2024, 9, 1)),
    length=st.integers(1, 120),
    files=st.sampled_from(["auto", "daily", "monthly"]),
    stored=st.sets(st.sampled_from(["BTCUSDT-1m-2021-03.zip", "BTCUSDT-1m-2021-04-07.zip"])),
)
def test_every_day_is_covered_once(start, length, files, stored):
    last = min(start + timedelta(days=length - 1), TODAY)
    plan = plan_files(like("klines", "1m"), start, last, today=TODAY, files=files, stored=stored)
    covered = [day.first for file in plan.files + plan.stored for day in file.period.days()]
    assert len(set(covered)) == len(covered)
    wanted = {start + timedelta(days=number) for number in range((last - start).days + 1)}
    assert wanted == set(covered) if files != "monthly" else wanted <= set(covered)


def test_daily_files_of_what_is_monthly_are_refused():
    with pytest.raises(BadInput, match="--files: 3d comes in monthly files only"):
        plan_files(like("klines", "3d"), TODAY, TODAY, today=TODAY, files="daily")


@pytest.mark.parametrize(
    ("market", "kind", "interval", "problem"),
    [
        (Market.SPOT, "aggtrades", None, r'--kind: "aggtrades" was expected .* did you mean "aggTrades"'),
        (Market.SPOT, "depth", None, r'--kind: "depth" was expected to be one of aggTrades, trades'),
        (Market.SPOT, "bookTicker", None, "--kind: the archive has no bookTicker of spot; it has aggTrades, trades"),
        (Market.SPOT, "fundingRate", None, "--kind: the archive has no fundingRate of spot"),
        (Market.USDM, "klines", None, "--interval: klines need an interval"),
        (Market.USDM, "klines", "1s", r'--interval: "1s" was expected to be one of 1m, 3m'),
        (Market.SPOT, "klines", "1M", r'--interval: "1M" was expected to be one of 1s, 1m'),
        (Market.USDM, "trades", "1m", "--interval: trades have no interval"),
    ],
)
def test_what_the_archive_cannot_have_is_refused(market, kind, interval, problem):
    with pytest.raises(BadInput, match=problem):
        check_kind(market, kind, interval)


@pytest.mark.parametrize(
    ("market", "kind", "interval"),
    [(Market.SPOT, "klines", "1s"), (Market.USDM, "klines", "1mo"), (Market.USDM, "bookTicker", None)],
)
def test_what_the_archive_can_have_is_taken(market, kind, interval):
    assert check_kind(market, kind, interval) is ArchiveKind(kind)


def test_days_must_be_a_range_of_the_past():
    check_days(TODAY, TODAY, TODAY)
    with pytest.raises(BadInput, match="--to: 2024-09-19 is before 2024-09-20"):
        check_days(TODAY, TODAY - timedelta(days=1), TODAY)
    with pytest.raises(BadInput, match=r"--to: 2024-09-21 is in the future \(today is 2024-09-20 UTC\)"):
        check_days(TODAY, TODAY + timedelta(days=1), TODAY)


def daily(day: str, kind: str = "aggTrades") -> ArchiveFile:
    return like(kind).of(Period(date.fromisoformat(day), monthly=False))


@pytest.mark.parametrize(
    ("file", "found", "reason"),
    [
        (daily("2024-09-20"), [], "not yet published: daily files appear on the next day"),
        (daily("2024-09-19"), [], "not yet published: daily files appear on the next day"),
        (daily("2024-09-18"), [], "no BTCUSDT of USD-M futures then, or no aggTrades of it: was it listed,"),
        (daily("2024-08-01"), ["2024-08-02"], "BTCUSDT was probably not listed yet"),
        (daily("2024-08-03"), ["2024-08-02"], "BTCUSDT was probably no longer listed"),
        (daily("2024-08-03"), ["2024-08-02", "2024-08-04"], "a gap in the archive"),
        (daily("2024-03-31", "bookTicker"), ["2024-03-30"], "the archive has bookTicker from 2023-05-16 to 2024-03-30"),
        (daily("2023-05-15", "bookTicker"), [], "the archive has bookTicker from 2023-05-16 to 2024-03-30"),
        (daily("2024-01-15", "bookTicker"), ["2024-01-14", "2024-01-16"], "a gap in the archive"),
        (like("fundingRate").of(Period(date(2024, 9, 1), monthly=True)), [], "not yet published: monthly files appear"),
    ],
)
def test_the_likely_reason_for_a_missing_file(file, found, reason):
    assert why_missing(file, Market.USDM, [daily(day) for day in found], TODAY).startswith(reason)


def test_missing_files_with_one_reason_make_one_line():
    missing = [daily("2024-08-01"), daily("2024-08-02"), daily("2024-08-04")]
    lines = missing_lines(missing, Market.USDM, [daily("2024-08-03"), daily("2024-08-05")], TODAY)
    assert lines == [
        "BTCUSDT-aggTrades-2024-08-01.zip to 2024-08-02 (2 files): not in the archive; "
        "BTCUSDT was probably not listed yet",
        "BTCUSDT-aggTrades-2024-08-04.zip: not in the archive; a gap in the archive",
    ]
