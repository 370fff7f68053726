"""What runs now, and what comes next."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import Server, serving, until
from trainer.prepared import Places


@pytest.fixture
def alone(places: Places, tmp_path: Path) -> Iterator[Server]:
    """A server with one slot that nobody else launches on."""
    with serving(tmp_path / "home", places.prepared, RUNYARD_CPU_SLOTS="1") as found:
        yield found


def test_the_queue_is_told_by_experiments_with_its_times(alone: Server) -> None:
    assert alone.call("GET", "/queue")["waiting"] == []
    ended = alone.launch(dataset="digits", model="fc", batch_size=500, epochs=2)
    alone.wait_for(ended, "succeeded")
    base = {"dataset": "digits", "model": "fc", "epochs": 10_000}
    made = alone.call("POST", "/experiments", json={"name": "Long", "base": base, "grid": {"seed": [1, 2, 3]}})
    short = {"dataset": "digits", "model": "fc", "batch_size": 500}
    other = alone.call("POST", "/experiments", json={"name": "Short", "base": short, "grid": {"seed": [1, 2]}})
    single = alone.launch(**short)
    found = until(lambda: (now := alone.call("GET", "/queue"))["running"] and now, "one is at work")
    assert found["slots"] == 1
    (running,) = found["running"]
    assert running["model"] == "FC"
    assert (running["run"]["id"] in made["run_ids"], running["experiment"]) == (True, "Long")
    assert (found["ended"]["run"]["id"], found["ended"]["experiment"], found["ended"]["left"]) == (ended, None, None)
    waiting = [(one["experiment"], len(one["run_ids"]), one["first"]) for one in found["waiting"]]
    assert waiting == [("Long", 2, 1), ("Short", 2, 3), (None, 1, 5)]
    assert found["waiting"][2]["run_ids"] == [single]
    assert found["left"] == {str(made["id"]): None, str(other["id"]): found["left"][str(other["id"])]}
    assert found["done"] is None  # nothing as long as these has run here
    alone.call("POST", f"/experiments/{made['id']}/stop")
    for run_id in (*other["run_ids"], single):
        alone.wait_for(run_id, "succeeded")
    assert alone.call("GET", "/queue")["done"] is None


def test_a_queue_of_runs_like_those_that_ended_says_when_it_is_over(alone: Server) -> None:
    long = {"dataset": "digits", "model": "fc", "batch_size": 250}
    done = alone.launch(**long)
    alone.wait_for(done, "succeeded")
    made = alone.call(
        "POST", "/experiments", json={"name": "Hours", "base": {**long, "epochs": 9_000}, "grid": {"seed": [1, 2]}}
    )
    after = alone.call("POST", "/experiments", json={"name": "After", "base": long, "grid": {"seed": [1, 2]}})
    found = until(lambda: (now := alone.call("GET", "/queue"))["running"] and now, "one is at work")
    assert found["running"][0]["left"] > 1
    (starts,), then = (one["starts"] for one in found["waiting"])
    left = {int(experiment): seconds for experiment, seconds in found["left"].items()}
    assert set(left) == {made["id"], after["id"]}
    assert 1 < starts < left[made["id"]] == then[0] < then[1] < left[after["id"]], "it waits for the other one"
    assert left[after["id"]] == pytest.approx(found["done"])
    alone.call("POST", f"/experiments/{after['id']}/stop")
    alone.call("POST", f"/experiments/{made['id']}/stop")
