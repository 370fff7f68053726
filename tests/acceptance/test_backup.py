"""A backup that is taken while runs train, by the command, with real workers."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.store import predictions
from tests.serving import Server, serving, until
from tests.template import template
from trainer.prepared import Places

SHORT = {"dataset": "digits", "model": "fc", "batch_size": 200, "epochs": 1}
LONG = {"dataset": "digits", "model": "fc", "batch_size": 20, "epochs": 12}


def runyard(home: Path, *arguments: object) -> str:
    done = template().run([*map(str, arguments)], {**os.environ, "RUNYARD_HOME": str(home), "COLUMNS": "100"})
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


def kept(server: Server, run_id: int) -> tuple[bytes, dict[str, Any]]:
    """Weights and predictions, as they are served."""
    with server.api() as client:
        weights = client.get(f"/runs/{run_id}/weights")
    assert weights.status_code == 200
    found: dict[str, Any] = server.call("GET", f"/runs/{run_id}/predictions")
    return weights.content, found


@pytest.mark.mend("B1")
def test_a_backup_taken_while_runs_train_is_every_runs_own_when_it_is_put_back(
    own_server: Server, places: Places, tmp_path: Path
) -> None:
    first = own_server.launch(**SHORT, seed=1)
    own_server.wait_for(first, "succeeded")
    before = kept(own_server, first)
    going = own_server.launch(**LONG, seed=2)
    own_server.wait_for(going, "running", steps=500)
    said = runyard(own_server.home, "backup", tmp_path / "copy")
    assert said.startswith("2 runs, ")
    own_server.wait_for(going, "succeeded")
    ended = kept(own_server, going)
    third = own_server.launch(**SHORT, seed=3)  # the backup does not have it
    own_server.wait_for(third, "succeeded")

    runyard(tmp_path / "new", "backup", tmp_path / "copy", "--restore")
    assert "the database is whole" in runyard(tmp_path / "new", "doctor")
    with serving(tmp_path / "new", places.prepared, RUNYARD_PRELOAD="0") as new:
        assert kept(new, first) == before
        done = lambda: new.run(going)["status"] == "succeeded"  # noqa: E731
        until(done, "the run that was at work then is lost, and goes on by itself from its checkpoint")
        assert kept(new, going)[0] == ended[0], "to the same bits"
        again = new.launch(**SHORT, seed=30)
        assert again == third, "its id is given again"
        run = new.wait_for(again, "succeeded")
        assert run["spec"]["seed"] == 30
        fresh, other = kept(new, again), kept(own_server, third)
        assert fresh[0] != other[0]
        found = predictions.load(new.files(again) / "predictions.npz")
        assert int(np.sum(found.right)) == fresh[1]["right"]
        until(lambda: not new.workers(), "its workers have left")
