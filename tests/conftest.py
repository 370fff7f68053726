"""What all tests share: prepared data sets, and genuine MNIST where it is there."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import Server, serving
from trainer.prepared import Places, ensure_prepared

REAL = os.environ.get("RUNYARD_TEST_DATASETS", "")
needs_cifar10 = pytest.mark.skipif(
    not (Path(REAL) / "cifar-10-batches-py").is_dir(),
    reason="genuine CIFAR-10 is not there: RUNYARD_TEST_DATASETS names no directory with cifar-10-batches-py",
)
needs_mnist = pytest.mark.skipif(
    not (Path(REAL) / "MNIST" / "raw").is_dir(),
    reason="genuine MNIST is not there: RUNYARD_TEST_DATASETS names no directory with MNIST/raw",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    words = "without a GPU, run these of tests/gpu on the CPU: all, or the few marked so"
    parser.addoption("--gpu-tests-on-cpu", choices=["all", "few"], help=words)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()  # a million objects of torch and others, which each collection would look at


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Places:
    """Data set directories for the whole test session, all its processes together, digits prepared in them."""
    own = tmp_path_factory.getbasetemp()
    root = (own if worker_id == "master" else own.parent) / "data"
    found = Places(datasets=Path(REAL) if REAL else root / "datasets", prepared=root / "prepared")
    ensure_prepared("digits", found)
    return found


@pytest.fixture(scope="module")
def server(
    places: Places, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Server]:
    """A real server with an empty home, for the tests of one module."""
    with serving(_home(tmp_path_factory, request), places.prepared, RUNYARD_DATASETS=REAL) as found:
        yield found


@pytest.fixture(scope="module")
def quick_server(
    places: Places, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Server]:
    """As `server`, with two slots: for tests that launch much and look at neither."""
    quick = {"RUNYARD_CPU_SLOTS": "2"}
    with serving(_home(tmp_path_factory, request), places.prepared, RUNYARD_DATASETS=REAL, **quick) as found:
        yield found


def _home(factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """An empty one, in a directory named after the module."""
    return factory.mktemp(request.module.__name__.removeprefix("tests.").replace(".", "-")) / "home"


@pytest.fixture(scope="session")
def shared_server(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """As `quick_server`, for all tests that don't mind what else was run there."""
    home = tmp_path_factory.mktemp("shared") / "home"
    with serving(home, places.prepared, RUNYARD_DATASETS=REAL, RUNYARD_CPU_SLOTS="2") as found:
        yield found


@pytest.fixture(scope="session")
def idle_server(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """As `server`, without a fork server: for tests that launch next to nothing."""
    home = tmp_path_factory.mktemp("idle") / "home"
    with serving(home, places.prepared, RUNYARD_DATASETS=REAL, RUNYARD_PRELOAD="0") as found:
        yield found


@pytest.fixture
def own_server(places: Places, tmp_path: Path) -> Iterator[Server]:
    """A real server of this test alone; without a fork server, which each restart would make anew."""
    with serving(tmp_path / "home", places.prepared, RUNYARD_DATASETS=REAL, RUNYARD_PRELOAD="0") as found:
        yield found
