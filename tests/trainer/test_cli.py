"""`python -m trainer`, as a person types it."""

import subprocess
import sys

from tests.serving import ROOT
from trainer.prepared import Places


def train(places: Places, *words: str) -> "subprocess.CompletedProcess[str]":
    folders = ["--datasets", str(places.datasets), "--prepared", str(places.prepared)]
    return subprocess.run(
        [sys.executable, "-m", "trainer", *words, *folders], cwd=ROOT, capture_output=True, text=True, timeout=120
    )


def test_a_net_is_trained_with_any_knob_set(places: Places) -> None:
    done = train(
        places,
        *("--model", "fc", "--dataset", "digits", "--batch-size", "2000", "--optimizer", "adam"),
        *("--set", "model.n_hidden=4", "--set", "crop_padding=2", "--set", "flip=horizontal"),
    )
    assert done.returncode == 0, done.stderr
    assert "fc on digits, 3,210 parameters" in done.stdout
    assert "epoch 1: test loss" in done.stdout


def test_what_is_wrong_is_said_in_one_line(places: Places) -> None:
    failed = train(places, "--set", "optimizer.momentum=2", "--set", "colour=red")
    assert failed.returncode == 1
    assert "colour is not a knob" in failed.stderr
    assert "optimizer.momentum is 2.0: choose a number from 0 to 0.9999" in failed.stderr
    assert "Traceback" not in failed.stderr
