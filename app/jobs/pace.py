"""How long the presets take on this machine, measured once while nothing runs, by a process that stands back for all
others. Until runs like them have ended here, it is what an estimate goes by."""

import hashlib
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.jobs.launchers import WORKER_VARIABLES
from app.settings import Settings
from app.spec import stored
from app.spec.estimate import Cost, Past, cost
from app.spec.presets import specs_of
from trainer import catalog
from trainer.spec import RunSpec

IDLE_SECONDS = 10.0
"""So long nothing has to run before it begins."""
LOOK_SECONDS = 0.5

log = logging.getLogger("runyard.jobs")
Kept = dict[str, list[Past]]
_KEPT = TypeAdapter(Kept)


class Paces:
    """A thread in the server. `is_idle`: nothing runs or is queued; `devices`: as a launcher knows them."""

    def __init__(
        self,
        settings: Settings,
        is_idle: Callable[[], bool],
        devices: Callable[[], Sequence[Mapping[str, Any]] | None],
    ) -> None:
        self._settings, self._is_idle, self._devices = settings, is_idle, devices
        self._file = settings.home / "paces.json"
        self._found: list[Past] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="runyard-paces", daemon=True)

    def start(self) -> None:
        """Begin, unless it is switched off."""
        if self._settings.measure:
            self._thread.start()

    def close(self) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def found(self) -> Sequence[Past]:
        """What has been measured by now: a step each."""
        return list(self._found)

    def _follow(self) -> None:
        """Measure what is not known yet, whenever there is time; ends when all of it is."""
        wanted = configurations()
        machine = ""
        idle = 0.0
        while not self._over.wait(LOOK_SECONDS):
            devices = self._devices()
            if not devices:
                continue
            if not machine:  # what an earlier server measured counts at once, whatever runs
                machine = fingerprint(devices[0])
                self._found = self._kept().get(machine, [])
            idle = idle + LOOK_SECONDS if self._is_idle() else 0.0
            if idle < IDLE_SECONDS:
                continue
            try:
                known = {cost(one.knobs) for one in self._found}
                left = [spec for alike, spec in wanted.items() if alike not in known]
                if not left:
                    return
                is_whole = self._measure(left, str(devices[0]["name"]))
                self._keep(machine)
                if is_whole:  # what is not known now, can't be measured here
                    return
            except Exception:  # an estimate less
                log.exception("the presets could not be measured here")
                return
            idle = 0.0

    def _measure(self, specs: Sequence[RunSpec], device: str) -> bool:
        """False: it was ended, since something had to run."""
        asked = json.dumps([spec.to_json() for spec in specs])
        process = subprocess.Popen(
            [sys.executable, "-m", "trainer", "pace", asked, "--device", device],
            stdin=subprocess.PIPE,  # it leaves when this end is closed
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=Path(__file__).parents[2],
            env={**WORKER_VARIABLES, **os.environ},
        )
        ended = threading.Event()
        watch = threading.Thread(target=self._end_when_busy, args=(process, ended), daemon=True)
        watch.start()
        with process:
            assert process.stdout is not None
            for line in process.stdout:
                measured = json.loads(line)
                spec = specs[measured["at"]]
                self._found.append(Past(stored.flat(spec.to_json()), device, 1, measured["seconds_a_step"]))
        watch.join()
        return not ended.is_set()

    def _end_when_busy(self, process: "subprocess.Popen[str]", ended: threading.Event) -> None:
        while process.poll() is None:
            if self._over.wait(LOOK_SECONDS) or not self._is_idle():
                ended.set()
                process.kill()

    def _kept(self) -> Kept:
        """Empty where there is none that can be read."""
        try:
            return _KEPT.validate_json(self._file.read_bytes())
        except (OSError, ValidationError):
            return {}

    def _keep(self, machine: str) -> None:
        beside = self._file.with_suffix(".part")
        beside.write_bytes(_KEPT.dump_json({machine: self._found}))
        beside.replace(self._file)


def configurations() -> dict[Cost, RunSpec]:
    """What the presets train: one of all whose steps cost the same."""
    found: dict[Cost, RunSpec] = {}
    for preset in catalog.PRESETS:
        for spec in specs_of(preset):
            found.setdefault(cost(stored.flat(spec.to_json())), spec)
    return found


def fingerprint(device: Mapping[str, Any]) -> str:
    """Of what the figures hold for: this version on this device."""
    facts = [version("runyard"), version("torch"), device.get("title"), os.cpu_count()]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
