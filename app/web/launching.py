"""Checks that a launch passes beside those of its spec."""

from collections.abc import Iterable

from app.web.state import Background
from trainer.spec import Problem, RunSpec, SpecError


def check_devices(specs: Iterable[RunSpec], background: Background) -> None:
    """Raise SpecError for a device that isn't there; while the devices are not known yet, any may wait."""
    if background.devices is None:
        return
    there = [device["name"] for device in background.devices]
    kinds = {"auto", *there, *(name.partition(":")[0] for name in there)}
    wrong = dict.fromkeys(spec.device for spec in specs if spec.device not in kinds)
    if wrong:
        choices = " or ".join(["auto", *there])
        raise SpecError(
            Problem("device", f"device is {device!r}: there is no such device here; choose {choices}")
            for device in wrong
        )
