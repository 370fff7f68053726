"""What a launch needs to know beside its specs: whether their devices are there, and how long they will take."""

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlmodel import Session

from app.spec import stored
from app.spec.estimate import Past, rates, seconds_a_step
from app.store import runs
from app.store.tables import ACTIVE, Run, Status
from app.web.state import Background
from trainer import catalog
from trainer.paths import flat
from trainer.spec import Problem, RunSpec, SpecError


def check_devices(specs: Sequence[RunSpec], background: Background) -> None:
    """Raise SpecError for a device that isn't there or has no slots, and for a precision that it has not got; while the
    devices are not known yet, any may wait."""
    devices = background.slots()
    there, used = _names(devices), _names(_used(devices))
    wrong = dict.fromkeys(spec.device for spec in specs if spec.device not in ("auto", *used))
    choices = " or ".join(["auto", *(name for name in used if name != "cuda")])
    if devices and wrong:
        why = {
            device: "nothing runs there (0 slots)" if device in there else "there is no such device here"
            for device in wrong
        }
        raise SpecError(Problem("device", f"device is {device!r}: {why[device]}; choose {choices}") for device in wrong)
    _refuse_float16(specs, devices)


def _refuse_float16(specs: Iterable[RunSpec], devices: Sequence[Mapping[str, Any]]) -> None:
    """Of a run that only the CPU can get: it would fail when it begins."""
    used = _used(devices)
    best = used[0]["name"].partition(":")[0] if used else ""
    for spec in specs:
        kind = best if spec.device == "auto" else spec.device.partition(":")[0]
        if spec.precision == "float16" and kind == "cpu":
            words = "precision is 'float16': the CPU has float32 and bfloat16; choose one of them, or auto"
            raise SpecError([Problem("precision", words)])


def _names(devices: Iterable[Mapping[str, Any]]) -> list[str]:
    """What a spec may call them: a GPU also `cuda`."""
    return list(dict.fromkeys(name for one in devices for name in (one["name"], one["name"].partition(":")[0])))


def _used(devices: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Those with slots; with no slot anywhere all of them, since then the queue is held."""
    return [one for one in devices if one["slots"]] or devices


class Estimate:
    """Seconds of training, judged by the last runs that succeeded here, or else by what was measured of the presets."""

    def __init__(self, session: Session, background: Background) -> None:
        past = (
            Past(stored.flat(run.spec), run.device or "cpu", run.steps_done, run.seconds)
            for run in runs.succeeded(session)
        )
        self.rates = {**rates(background.paces()), **rates(past)}
        self.devices = background.slots()

    def of(self, spec: RunSpec) -> float | None:
        """Of one run; None when none like it ran here."""
        rate = seconds_a_step(flat(spec.to_json()), self._device(spec), self.rates)
        return None if rate is None else rate * spec.steps_total

    def of_all(self, specs: Sequence[RunSpec]) -> float | None:
        """Of all together, side by side on the slots of their devices, and on the threads of the CPU."""
        threads = [catalog.threads(spec.model.name, spec.parameters) for spec in specs]
        return self._side_by_side([self._device(spec) for spec in specs], [self.of(spec) for spec in specs], threads)

    def left(self, rows: Iterable[Run]) -> float | None:
        """Until runs have ended that go on, or wait, by themselves."""
        going = [row for row in rows if row.status in (Status.QUEUED, *ACTIVE)]
        threads = [catalog.threads(row.spec["model"]["name"], row.parameters) for row in going]
        return self._side_by_side([self._place(row) for row in going], [self._left(row) for row in going], threads)

    def times(self, rows: Iterable[Run]) -> list[tuple[float | None, float | None]]:
        """Until each begins and ends, of runs at work and then of the queue, as slots of its kind of device become
        free; None once that is not known of a run before it."""
        free: dict[str, list[float]] = {}
        for device in self.devices:
            free.setdefault(device["name"].partition(":")[0], []).extend([0.0] * device["slots"])
        found: list[tuple[float | None, float | None]] = []
        for row in rows:
            slots, seconds = free.get(self._place(row).partition(":")[0]), self._left(row)
            if not slots:
                found.append((None, None))
                continue
            begins = heapq.heappop(slots)
            ends = begins + (math.inf if seconds is None else seconds)
            heapq.heappush(slots, ends)
            found.append((begins if math.isfinite(begins) else None, ends if math.isfinite(ends) else None))
        return found

    def _left(self, row: Run) -> float | None:
        rate = seconds_a_step(stored.flat(row.spec), self._place(row), self.rates)
        return None if rate is None else rate * (row.steps_total - row.steps_done)

    def _place(self, row: Run) -> str:
        return row.device or self._device_of(row.spec["device"])

    def _side_by_side(
        self, devices: Sequence[str], each: Sequence[float | None], threads: Sequence[int]
    ) -> float | None:
        """Of runs with their devices, seconds, and threads where they train on the CPU."""
        if not each or None in each:
            return None
        loads: dict[str, float] = {}
        working = 0.0
        for device, seconds, count in zip(devices, each, threads, strict=True):
            kind = device.partition(":")[0]
            loads[kind] = loads.get(kind, 0.0) + (seconds or 0.0)
            working += (seconds or 0.0) * count if kind == "cpu" else 0.0
        slots: dict[str, int] = {
            kind: sum(one["slots"] for one in self.devices if one["name"].startswith(kind)) for kind in loads
        }
        most = max((one.get("threads", 1) for one in self.devices if one["name"] == "cpu"), default=1)
        return max([working / most, *(load / max(1, slots[kind]) for kind, load in loads.items())])

    def _device(self, spec: RunSpec) -> str:
        return self._device_of(spec.device)

    def _device_of(self, asked: str) -> str:
        if asked != "auto":
            return asked
        return str(_used(self.devices)[0]["name"]) if self.devices else "cpu"
