"""What the catalogue's presets launch."""

import functools

from app.spec.experiment import ExperimentSpec
from trainer import catalog
from trainer.spec import RunSpec


@functools.cache
def specs_of(name: str) -> tuple[RunSpec, ...]:
    """The runs of a preset, as a launch would make them."""
    preset = catalog.PRESETS[name]
    return tuple(ExperimentSpec(name=preset.title, base=preset.base, grid=preset.grid).expand())
