from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from app.store.engine import open_database


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database file of this test alone."""
    opened = open_database(tmp_path / "runyard.db")
    yield opened
    opened.dispose()
