"""What is true on a GPU. The tests are skipped where there is none; `--gpu-tests-on-cpu` shows that they work."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from trainer import catalog

HERE = Path(__file__).parent
WITHOUT = "there is no GPU (torch.cuda.is_available() is False): --gpu-tests-on-cpu=all runs it on the CPU"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    on_cpu = config.getoption("--gpu-tests-on-cpu")
    ours = [item for item in items if HERE in item.path.parents]
    there = bool(ours) and torch.cuda.is_available()
    for item in ours:
        item.add_marker("gpu")
        if not (there or on_cpu == "all" or (on_cpu == "few" and item.get_closest_marker("few"))):
            item.add_marker(pytest.mark.skip(WITHOUT))


@pytest.fixture(scope="session")
def device() -> torch.device:
    """The first card, or the CPU where the tests themselves are tried."""
    return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")


@pytest.fixture(autouse=True)
def catalogue() -> Iterator[None]:
    """As it was, after a test that put a data set into it."""
    before = catalog.DATASETS
    yield
    catalog.DATASETS = before
