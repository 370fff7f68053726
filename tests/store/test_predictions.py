"""What is known of a run from what its net says of the test images."""

import os
from pathlib import Path

import numpy as np
import pytest

from app.settings import Settings
from app.store import artifacts, predictions, runs
from app.store.engine import open_database, reading, writing
from app.store.predictions import Predictions
from app.store.tables import Status
from trainer.spec import parse

LABELS = np.repeat(np.arange(10), 100)


def of(predicted: np.ndarray, labels: np.ndarray = LABELS) -> Predictions:
    return Predictions(labels, predicted, np.ones(len(labels), np.float32))


def right_on(share: float, labels: np.ndarray = LABELS) -> Predictions:
    """Right on this share of the images of each class, and else the next class."""
    place = np.arange(len(labels)) % 100
    return of(np.where(place < 100 * share, labels, (labels + 1) % 10), labels)


@pytest.mark.parametrize(
    ("found", "untrained"),
    [
        (right_on(0.10), True),
        (right_on(0.139), True),  # 10% and a twentieth of the other 90%
        (right_on(0.15), False),
        (right_on(0.97), False),
        (of(np.full(1000, 3)), True),
        (of(np.where(LABELS < 5, 0, 1), np.where(LABELS < 5, 0, 1)), False),
        (of(np.where(np.arange(1000) < 930, 0, 1), np.where(np.arange(1000) < 900, 0, 1)), False),
        (of(np.where(np.arange(1000) < 999, 0, 1), np.where(np.arange(1000) < 900, 0, 1)), True),
        (of(np.zeros(50, int), np.zeros(50, int)), False),  # one class: nothing can be told
    ],
)
def test_a_net_that_is_no_better_than_the_most_frequent_class_is_untrained(found: Predictions, untrained: bool) -> None:
    assert found.is_untrained == untrained


def test_of_few_images_two_standard_errors_count() -> None:
    labels = np.repeat(np.arange(2), 20)
    half = np.where(np.arange(40) % 20 < 13, labels, 1 - labels)  # 65%, of 40 images
    assert of(half, labels).is_untrained


def test_runs_of_before_are_noted_from_their_predictions(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    engine = open_database(settings.database)
    with writing(engine) as session:
        made = [runs.add(session, parse({"seed": seed}), f"run {seed}") for seed in (1, 2, 3)]
        for run in made:
            run.status = Status.SUCCEEDED
        session.flush()
        ids = [run.id or 0 for run in made]
        files = [run.files for run in made]
    for name, found in zip(files[:2], (right_on(0.1), right_on(0.9)), strict=True):
        path = artifacts.predictions(settings, name)
        path.parent.mkdir(parents=True)
        predictions.save(path, found)
    assert predictions.settle_untrained(engine, settings) == 2
    with reading(engine) as session:
        assert [runs.get(session, one).untrained for one in ids] == [True, False, None]
    assert predictions.settle_untrained(engine, settings) == 0
    engine.dispose()


@pytest.mark.mend("B2")
def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a power cut would show: synced, then renamed, then the directory synced."""
    done: list[tuple[str, str]] = []
    synced, renamed = os.fsync, Path.rename

    def sync(opened: int) -> None:
        done.append(("sync", Path(os.readlink(f"/proc/self/fd/{opened}")).name))
        synced(opened)

    def rename(path: Path, target: Path) -> Path:
        done.append(("rename", target.name))
        return renamed(path, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "rename", rename)
    path = tmp_path / "run-1-x" / "weights.pt"
    with artifacts.beside(path) as part:
        part.write_bytes(b"weights")
    assert path.read_bytes() == b"weights"
    assert done == [
        ("sync", "weights.part"),
        ("rename", "weights.pt"),
        ("sync", "run-1-x"),
        ("sync", tmp_path.name),
    ]
