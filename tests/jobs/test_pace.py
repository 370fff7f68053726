"""What the presets take here: measured once, while nothing runs, and kept."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from app.jobs import pace
from app.jobs.pace import Paces
from app.settings import Settings
from app.spec import stored
from app.spec.estimate import cost, rates, seconds_a_step
from tests.serving import until
from trainer.spec import RunSpec, parse

CPU = [{"name": "cpu", "title": "a processor", "memory": None}]
SMALL = [parse({"dataset": "digits", "model": model}) for model in ("fc", "cnn")]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Paces]:
    """Makes the measuring of two small nets, which begins at once when nothing runs."""
    monkeypatch.setattr(pace, "IDLE_SECONDS", 0.0)
    monkeypatch.setattr(pace, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(pace, "configurations", lambda: {cost(knobs(spec)): spec for spec in SMALL})
    settings = Settings(home=tmp_path, measure=True)
    return lambda is_idle=lambda: True: Paces(settings, is_idle, lambda: CPU)


def knobs(spec: RunSpec) -> dict[str, object]:
    return dict(stored.flat(spec.to_json()))


def test_it_is_measured_once_and_kept_for_the_next_start(measured: Callable[..., Paces], tmp_path: Path) -> None:
    first = measured()
    first.start()
    until(lambda: (tmp_path / "paces.json").exists(), "it is kept")
    first.close()
    known = rates(first.found())
    fc, cnn = (seconds_a_step(knobs(spec), "cpu", known) for spec in SMALL)
    assert fc is not None
    assert cnn is not None
    assert 0 < fc < cnn < 1
    again = measured(lambda: False)  # something runs all the time
    again.start()
    until(lambda: len(again.found()) == 2, "it is read")
    again.close()
    assert again.found() == first.found()


def children() -> list[str]:
    """Command lines of the processes that measure for this one."""
    lines = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            lines.append(" ".join(child.cmdline()))
    return [line for line in lines if "trainer pace" in line]


def test_it_ends_as_soon_as_something_has_to_run_and_begins_again_afterwards(measured: Callable[..., Paces]) -> None:
    idle = [True]
    found = measured(lambda: idle[0])
    found.start()
    until(children, "it measures")
    idle[0] = False
    until(lambda: not children(), "it has made room")
    assert found.found() == []
    idle[0] = True
    until(lambda: len(found.found()) == 2, "all is measured")
    found.close()


def test_a_file_that_cannot_be_read_is_measured_anew(measured: Callable[..., Paces], tmp_path: Path) -> None:
    (tmp_path / "paces.json").write_text("{")
    found = measured()
    found.start()
    until(lambda: _whole(tmp_path), "it is whole")
    found.close()
    assert len(found.found()) == 2


def _whole(home: Path) -> bool:
    try:
        return bool(json.loads((home / "paces.json").read_text()))
    except ValueError:
        return False


def test_every_preset_is_measured() -> None:
    assert len(pace.configurations()) > 8
    assert pace.fingerprint(CPU[0]) != pace.fingerprint({**CPU[0], "title": "another"})
