"""The pictures of docs/market-making.md are what the makers compute today, and the page leaves no parameter out."""

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.trading.config import StrategyConfig

from strategies.avellaneda_stoikov import AvellanedaStoikovConfig
from strategies.fair_value_maker import FairValueMakerConfig
from strategies.fixed_spread import FixedSpreadConfig
from strategies.glft import GlftConfig
from strategies.model_maker import ModelConfig
from strategies.quoting_config import QuotingConfig

PROJECT = Path(__file__).parents[1]
PAGE = PROJECT / "docs" / "market-making.md"
PICTURES = PROJECT / "docs" / "pictures"
CONFIGS = (QuotingConfig, FixedSpreadConfig, FairValueMakerConfig, ModelConfig, AvellanedaStoikovConfig, GlftConfig)
PARAMETERS = sorted(
    {name for config in CONFIGS for name in config.__struct_fields__} - set(StrategyConfig.__struct_fields__)
)


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def drawn() -> Any:
    """Draw every picture, as the script does; leave the import path and the modules as they were."""
    import sys

    path, modules = list(sys.path), set(sys.modules)
    spec = importlib.util.spec_from_file_location("draw_pictures", PICTURES / "draw.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    yield script.draw()
    sys.path[:] = path
    for name in {"svg", "engine_run", *script.MODULES} - modules:
        sys.modules.pop(name, None)


def test_drawing_again_gives_the_same_files(drawn: dict[str, str]) -> None:
    stored = {path.name: path.read_text(encoding="utf-8") for path in PICTURES.glob("*.svg")}

    assert sorted(stored) == sorted(drawn)
    assert [name for name in stored if stored[name] != drawn[name]] == []


def test_pictures_are_small_and_need_nothing_else(drawn: dict[str, str]) -> None:
    for name, text in drawn.items():
        assert len(text.encode()) < 30_000, name
        assert "nan" not in text.lower().replace("nano", ""), name
        assert re.findall(r"(?:href|src|url)\s*[=(]\s*[\"']?(?!#)\w", text) == [], name


def test_every_picture_is_in_the_page_and_the_page_has_no_other(page: str) -> None:
    shown = re.findall(r"!\[[^\]]+\]\(pictures/([^)]+)\)", page)

    assert sorted(shown) == sorted(path.name for path in PICTURES.glob("*.svg"))


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_every_parameter_has_its_place_in_the_page(parameter: str, page: str) -> None:
    headings = [line for line in page.splitlines() if line.startswith("#")]

    assert any(f"`{parameter}`" in heading for heading in headings)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([\w-]+\.md)", PAGE.read_text(encoding="utf-8")))))
def test_the_page_links_to_pages_that_exist(link: str) -> None:
    assert (PAGE.parent / link).is_file()


def test_the_page_links_to_headings_that_exist(page: str) -> None:
    headings = [re.sub(r"^#+ ", "", line) for line in page.splitlines() if line.startswith("#")]
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}

    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= anchors
