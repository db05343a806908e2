import subprocess
import sys

import pytest

FORBIDDEN = {
    "nautilus_trader",
    "pandas",
    "pyarrow",
    "msgspec",
    "actors",
    "data_catalog",
    "reports",
    "runtime",
    "strategies",
}
IMPORT_ALL = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print("\\n".join(sys.modules))
"""


@pytest.fixture(scope="module")
def modules(project) -> list[str]:
    paths = sorted((project / "models").rglob("*.py"))
    return [".".join(path.relative_to(project).with_suffix("").parts).removesuffix(".__init__") for path in paths]


def loaded_by(modules, project) -> set[str]:
    command = [sys.executable, "-c", IMPORT_ALL, *modules]
    result = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in result.stdout.split()}


def test_models_load_no_engine_and_no_file_format(modules, project):
    assert "models.market_making.avellaneda_stoikov" in modules
    assert loaded_by(modules, project).isdisjoint(FORBIDDEN)


def test_a_model_that_loads_more_would_be_noticed(project):
    assert "msgspec" in loaded_by(["data_catalog.store.origin"], project)
