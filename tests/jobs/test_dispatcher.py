"""Which device a run gets, and what becomes of one that would wait for ever; without a process."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from app.jobs.dispatcher import Dispatcher
from app.jobs.launchers import Launched
from app.settings import Settings
from app.store import runs
from app.store.engine import open_database, reading, writing
from app.store.runs import Claim
from app.store.tables import Run
from trainer.spec import parse

DEVICES = [{"name": "cuda:0", "title": "a card", "memory": 1}, {"name": "cpu", "title": "cores", "memory": None}]


class Working:
    """A worker that works on and on."""

    pid = 1

    def poll(self) -> None:
        return None

    def kill(self) -> None:
        pass


class FakeLauncher:
    """Launches nothing."""

    def __init__(self) -> None:
        self.launched: list[Claim] = []

    def launch(self, claim: Claim) -> Launched:
        self.launched.append(claim)
        return Working()

    def adopt(self, claim: Claim) -> None:  # noqa: ARG002
        return None

    def ready(self) -> bool:
        return True

    def close(self) -> None:
        pass


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    found = open_database(tmp_path / "runyard.db")
    yield found
    found.dispose()


def launched(engine: Engine, home: Path, devices: list[str], **slots: int) -> list[Run]:
    """The runs that want these devices, after a turn of the dispatcher."""
    with writing(engine) as session:
        for device in devices:
            runs.add(session, parse({"device": device}), device)
    dispatcher = Dispatcher(engine, Settings(home=home, **slots), FakeLauncher())
    dispatcher.devices = DEVICES
    dispatcher._turn()
    with reading(engine) as session:
        return [runs.get(session, run + 1) for run in range(len(devices))]


@pytest.mark.parametrize(
    ("device", "slots", "given"),
    [
        ("auto", {"gpu_slots": 1, "cpu_slots": 1}, "cuda:0"),
        ("cuda", {"gpu_slots": 1, "cpu_slots": 1}, "cuda:0"),
        ("cuda:0", {"gpu_slots": 1, "cpu_slots": 0}, "cuda:0"),
        ("cpu", {"gpu_slots": 1, "cpu_slots": 1}, "cpu"),
        ("auto", {"gpu_slots": 0, "cpu_slots": 1}, "cpu"),
    ],
)
def test_a_run_gets_the_best_device_that_has_slots(
    engine: Engine, tmp_path: Path, device: str, slots: dict[str, int], given: str
) -> None:
    (run,) = launched(engine, tmp_path, [device], **slots)
    assert (run.status, run.device) == ("starting", given)


@pytest.mark.parametrize(
    ("device", "slots", "cause"),
    [
        (
            "cuda:0",
            {"gpu_slots": 0, "cpu_slots": 1},
            "device is 'cuda:0': RUNYARD_GPU_SLOTS is 0, so that nothing runs there; choose auto or cpu, "
            "or give it a slot",
        ),
        (
            "cpu",
            {"gpu_slots": 1, "cpu_slots": 0},
            "device is 'cpu': RUNYARD_CPU_SLOTS is 0, so that nothing runs there; choose auto or cuda:0, "
            "or give it a slot",
        ),
        (
            "cuda:7",
            {"gpu_slots": 1, "cpu_slots": 1},
            "device is 'cuda:7': there is no such device here; choose auto or cuda:0 or cpu",
        ),
    ],
)
def test_a_run_that_would_wait_for_ever_fails_and_says_why(
    engine: Engine, tmp_path: Path, device: str, slots: dict[str, Any], cause: str
) -> None:
    (run,) = launched(engine, tmp_path, [device], **slots)
    assert (run.status, run.cause) == ("failed", cause)


def test_with_no_slot_anywhere_all_wait(engine: Engine, tmp_path: Path) -> None:
    found = launched(engine, tmp_path, ["auto", "cpu", "cuda:7"], gpu_slots=0, cpu_slots=0)
    assert [run.status for run in found] == ["queued"] * 3


def test_two_runs_share_a_card_with_two_slots_and_the_third_waits(engine: Engine, tmp_path: Path) -> None:
    found = launched(engine, tmp_path, ["auto"] * 3, gpu_slots=2, cpu_slots=1)
    assert [(run.status, run.device) for run in found] == [("starting", "cuda:0")] * 2 + [("queued", None)]
