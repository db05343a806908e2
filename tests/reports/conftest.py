"""Results folders of the shapes a run can leave."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from reports.results_folder import Results, read_results
from tests.reports.results_writer import Shape, write_results

SHORT = Shape(points=240, fills=60)
SHAPES = {
    "short": SHORT,
    "no_fills": replace(SHORT, fills=0),
    "one_fill": replace(SHORT, fills=1),
    "one_point": replace(SHORT, points=1, fills=0),
    "losing": replace(SHORT, edge_ticks=-6),
    "rebate": replace(SHORT, fee=Decimal("-0.0001")),
    "two_instruments": replace(SHORT, instruments=("NEXOUSDT.BINANCE", "SYNUSDT-PERP.BINANCE")),
}


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run of 24 hours with 3,000 fills."""
    return write_results(tmp_path_factory.mktemp("day") / "run", Shape())


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """Return the folder of a run of 40 minutes with 60 fills, to be changed at will."""
    return write_results(tmp_path / "run", SHORT)


@pytest.fixture(params=sorted(SHAPES))
def any_results(request: pytest.FixtureRequest, tmp_path: Path) -> Results:
    """Return the results of every shape in turn."""
    return read_results(write_results(tmp_path / "run", SHAPES[request.param]))
