"""What all tests share: prepared data sets, and genuine MNIST where it is there."""

import os
from pathlib import Path

import pytest

from trainer.data.prepared import Places, ensure_prepared

REAL = os.environ.get("RUNYARD_TEST_DATASETS", "")
needs_mnist = pytest.mark.skipif(
    not (Path(REAL) / "MNIST" / "raw").is_dir(),
    reason="genuine MNIST is not there: RUNYARD_TEST_DATASETS names no directory with MNIST/raw",
)


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Data set directories for the whole test session, digits prepared in them."""
    root = tmp_path_factory.mktemp("data")
    found = Places(datasets=Path(REAL) if REAL else root / "datasets", prepared=root / "prepared")
    ensure_prepared("digits", found)
    return found
