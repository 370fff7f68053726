"""Which devices a launch may name, by what the machine has and what the server was told to use."""

from pathlib import Path
from typing import Any

import pytest

from app.spec.estimate import Past
from app.web.launching import check_devices
from trainer.spec import SpecError, parse


class Devices:
    """A machine with two cards and a CPU."""

    def __init__(self, gpu_slots: int, cpu_slots: int) -> None:
        names = {"cuda:0": gpu_slots, "cuda:1": gpu_slots, "cpu": cpu_slots}
        self.devices: list[dict[str, Any]] = [
            {"name": name, "title": name, "memory": None, "slots": slots, "used": 0} for name, slots in names.items()
        ]

    def waits(self) -> str | None:
        return None

    def paces(self) -> list[Past]:
        return []

    def slots(self) -> list[dict[str, Any]]:
        return self.devices

    def log(self, files: str, attempt: int) -> Path:
        return Path(f"{files}-{attempt}.log")

    def wake(self) -> None:
        pass


@pytest.mark.parametrize("device", ["auto", "cuda", "cuda:1", "cpu"])
@pytest.mark.parametrize("slots", [1, 0], ids=["with slots", "no slot anywhere: the queue is held"])
def test_a_device_that_is_there_may_be_named(device: str, slots: int) -> None:
    check_devices([parse({"device": device})], Devices(slots, slots))


@pytest.mark.parametrize(
    ("device", "slots", "words"),
    [
        ("cuda:2", (1, 1), "there is no such device here; choose auto or cuda:0 or cuda:1 or cpu"),
        ("cuda:1", (0, 1), "nothing runs there (0 slots); choose auto or cpu"),
        ("cuda", (0, 1), "nothing runs there (0 slots); choose auto or cpu"),
        ("cpu", (1, 0), "nothing runs there (0 slots); choose auto or cuda:0 or cuda:1"),
    ],
)
def test_one_that_is_not_there_or_not_used_is_refused(device: str, slots: tuple[int, int], words: str) -> None:
    with pytest.raises(SpecError) as caught:
        check_devices([parse({"device": device})], Devices(*slots))
    assert str(caught.value) == f"device is {device!r}: {words}"
