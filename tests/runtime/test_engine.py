"""The configuration of the engine."""

from pathlib import Path

import pytest

from runtime.engine import engine_config


def test_a_log_goes_into_the_folder_that_it_is_given(tmp_path: Path) -> None:
    logging = engine_config("WARNING", tmp_path).logging

    assert (logging.log_level_file, logging.log_directory) == ("WARNING", str(tmp_path))
    assert engine_config().logging.bypass_logging


def test_a_log_without_a_folder_is_refused() -> None:
    with pytest.raises(ValueError, match="a log of level WARNING needs a folder"):
        engine_config("WARNING")
