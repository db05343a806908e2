import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def archive_server(monkeypatch) -> Iterator:
    """Return a running `ArchiveServer`, whose own file is not importable by name from a test."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    spec = importlib.util.spec_from_file_location("archive_server", Path(__file__).with_name("archive_server.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    server = module.ArchiveServer()
    server.start()
    yield server
    server.stop()
