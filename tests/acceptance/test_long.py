"""Trainings of minutes, on all cores: `make test ARGS="-m long -n 0"`."""

from pathlib import Path

import pytest

from tests.conftest import REAL, needs_cifar10
from tests.serving import serving
from trainer import catalog
from trainer.prepared import Places, ensure_prepared

pytestmark = pytest.mark.long


@needs_cifar10
@pytest.mark.timeout(900)
def test_the_tutorials_vgg_learns_photographs(places: Places, tmp_path: Path) -> None:
    """One epoch of the preset in bfloat16, which takes half as long; ten give what docs/benchmarks.md says."""
    ensure_prepared("cifar10", places)
    with serving(tmp_path / "home", places.prepared, RUNYARD_DATASETS=REAL) as server:
        run_id = server.launch(**{**catalog.PRESETS["cifar10-vgg"].base, "epochs": 1, "precision": "bfloat16"})
        run = server.wait_for(run_id, "succeeded", seconds=800)
    assert run["parameters"] == 9_231_114
    assert run["steps_done"] == 391
    assert run["summary"]["test/accuracy"]["last"] > 0.5
