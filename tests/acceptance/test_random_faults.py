"""Faults at random over running experiments: every series is that of an undisturbed run, bit for bit, and its own."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.chaos import CNN, ENDLESS, FC, Chaos, Missing, faketime, site_with_a_parent, small_disk
from tests.serving import serving
from trainer.prepared import Places

SEED = int(os.environ.get("RUNYARD_TEST_SEED", "1"))
PARENT = {**FC, "model": "parent"}
QUICK = {  # fault to how often, since a server takes long to come back
    "kill_worker": 6,
    "end_worker": 1,
    "freeze_worker": 4,
    "pause_and_resume": 5,
    "stop_and_resume": 5,
    "damage_checkpoint": 5,
    "kill_server": 1,
    "kill_both": 1,
    "end_server": 1,
    "stop_container": 1,
}
ALL = {
    "kill_worker": 5,
    "end_worker": 4,
    "freeze_worker": 3,
    "freeze_in_a_write": 1,
    "pause_and_resume": 4,
    "stop_and_resume": 4,
    "delete_and_restore": 3,
    "damage_checkpoint": 6,
    "kill_server": 3,
    "end_server": 3,
    "kill_both": 4,
    "kill_fork_server": 3,
    "stop_container": 5,
    "refuse_logs": 4,
    "fill_disk": 10,
    "cut_power": 7,
    "step_clock": 6,
    "put_back": 3,
}
LEAST = 60
MOST_WAITING = 3


def strike_all(chaos: Chaos, faults: list[str], *, short: bool) -> None:
    began = time.monotonic()
    for number, name in enumerate(faults):
        if short and chaos.waiting() < MOST_WAITING:
            chaos.launch_short()
        struck = chaos.strike(name)
        print(f"{time.monotonic() - began:5.1f} s, fault {number + 1} of {len(faults)}: {struck}", flush=True)


@pytest.mark.timeout(240)
def test_thirty_random_faults_leave_no_trace(places: Places, tmp_path: Path) -> None:
    print(f"RUNYARD_TEST_SEED={SEED}")
    with serving(tmp_path / "home", places.prepared, RUNYARD_CPU_SLOTS="6") as server:
        chaos = Chaos(server, SEED)
        chaos.launch(ENDLESS)
        strike_all(chaos, chaos.plan(QUICK, 30), short=False)
        chaos.finish(places)


@pytest.mark.chaos
@pytest.mark.timeout(3000)
def test_faults_of_all_kinds_leave_no_trace(places: Places, tmp_path: Path) -> None:
    """`make chaos`: what has to be on a disk, what the clock says, whose files they are."""
    print(f"RUNYARD_TEST_SEED={SEED}")
    environment: dict[str, Any] = {"PYTHONPATH": str(site_with_a_parent(tmp_path / "site")), "RUNYARD_CPU_SLOTS": "8"}
    clock: Path | Missing = tmp_path / "clock"
    try:
        own_clock = {
            "LD_PRELOAD": str(faketime()),
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_CACHE_DURATION": "1",
        }
        environment |= own_clock | {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}
        (tmp_path / "clock").write_text("+0\n")
    except Missing as missing:
        clock = missing
    with small_disk(tmp_path) as disk:
        home = tmp_path / "home" if isinstance(disk, Missing) else disk.place / "home"
        with serving(home, places.prepared, cold=True, **environment) as server:
            chaos = Chaos(server, SEED, disk, clock)
            chaos.launch([CNN, CNN, CNN, FC, PARENT, PARENT])
            try:
                strike_all(chaos, chaos.plan(ALL, LEAST), short=True)
                chaos.finish(places)
            finally:
                server.kill()
                chaos.end_what_is_left()
    print(
        f"{sum(chaos.ran.values())} faults ran, {len(chaos.short)} short runs beside them; every bit is as it should be"
    )
    print(", ".join(f"{name} {count}" for name, count in sorted(chaos.ran.items())))
    for name, why in chaos.skipped.items():
        print(f"skipped: {name}: {why}")
    assert sum(chaos.ran.values()) >= LEAST
