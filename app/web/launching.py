"""What a launch needs to know beside its specs: whether their devices are there, and how long they will take."""

from collections.abc import Iterable

from sqlmodel import Session

from app.compare.estimate import Past, seconds_a_step
from app.store import runs
from app.web.state import Background
from trainer.spec import Problem, RunSpec, SpecError, flat


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


class Estimate:
    """Seconds of training, judged by the last runs that succeeded here."""

    def __init__(self, session: Session, background: Background) -> None:
        self.past = [
            Past(flat(run.spec), run.device or "cpu", run.steps_done, run.seconds) for run in runs.succeeded(session)
        ]
        self.devices = background.slots()

    def of(self, spec: RunSpec) -> float | None:
        """Of one run; None when none like it ran here."""
        rate = seconds_a_step(flat(spec.to_json()), self._device(spec), self.past)
        return None if rate is None else rate * spec.steps_total

    def of_all(self, specs: list[RunSpec]) -> float | None:
        """Of all together, side by side on the slots of their devices."""
        each = [self.of(spec) for spec in specs]
        if not specs or None in each:
            return None
        loads: dict[str, float] = {}
        for spec, seconds in zip(specs, each, strict=True):
            kind = self._device(spec).partition(":")[0]
            loads[kind] = loads.get(kind, 0.0) + (seconds or 0.0)
        slots: dict[str, int] = {
            kind: sum(one["slots"] for one in self.devices if one["name"].startswith(kind)) for kind in loads
        }
        return max([load / max(1, slots[kind]) for kind, load in loads.items()])

    def _device(self, spec: RunSpec) -> str:
        if spec.device != "auto":
            return spec.device
        return str(self.devices[0]["name"]) if self.devices else "cpu"
