"""Ask until answered: seeds launch themselves, in matched sets, until the answer is in or the budget ends."""

from pathlib import Path
from typing import Any

import pytest

from tests.serving import Server, serving, until
from trainer.prepared import Places

BASE = {"dataset": "digits", "model": {"name": "fc", "n_hidden": 64}, "batch_size": 200, "epochs": 1}
RATES = {"optimizer.lr": [0.0001, 0.2]}
SAME = {"decay_epochs": [30, 31]}  # no step schedule: the knob does nothing


def ask(server: Server, grid: dict[str, list[Any]], smallest: float | None = None, **question: Any) -> int:
    asked = {"knobs": list(grid)[:1], **question}
    body = {"name": "Asked", "base": BASE, "grid": grid, "question": asked, "smallest": smallest}
    experiment: int = server.call("POST", "/experiments", json=body)["id"]
    return experiment


def state(server: Server, experiment: int) -> dict[str, Any]:
    found: dict[str, Any] = server.call("GET", f"/experiments/{experiment}/question")
    return found


def answered(server: Server, experiment: int) -> dict[str, Any]:
    """Until asking has ended, and all its runs with it."""

    def over() -> dict[str, Any] | None:
        found = state(server, experiment)
        return None if found["state"] == "asking" or any(not one["is_complete"] for one in found["sets"]) else found

    found = until(over, f"question of experiment {experiment} is answered")
    assert found is not None
    return found


def test_a_difference_is_found_by_itself_and_its_seeds_are_matched(shared_server: Server) -> None:
    found = answered(shared_server, ask(shared_server, RATES))
    assert (found["state"], found["answer"], found["settled_after"]) == ("answered", "difference", 4)
    assert found["sentences"][0].startswith("Yes. Learning rate 0.2 instead of 0.0001 brought the FC net ")
    assert [len(one["runs"]) for one in found["sets"]] == [2] * found["n"]
    assert sorted(one["seed"] for one in found["sets"]) == list(range(1, found["n"] + 1))
    assert found["n"] <= 5, "no seeds beyond what the slots could take while it was open"
    last = found["sets"][-1]
    values = [[run["value"] for run in one["runs"]] for one in found["sets"]]
    assert last["mean"] == pytest.approx(sum(second - first for first, second in values) / len(values))
    assert last["low"] > 0
    assert last["low"] < last["ordinary_low"] < last["ordinary_high"] < last["high"]
    compared = shared_server.call("GET", "/compare", params={"experiment": found["experiment"]})
    assert compared["verdict"]["watched"]
    (pair,) = compared["facts"]["contrasts"]
    assert (pair["low"], pair["high"]) == (pytest.approx(last["low"]), pytest.approx(last["high"]))


def test_what_makes_no_difference_is_told_and_the_budget_can_be_used_up(shared_server: Server) -> None:
    experiment = ask(shared_server, SAME, max_seeds=6)
    found = answered(shared_server, experiment)
    assert (found["state"], found["answer"], found["settled_after"]) == ("answered", "no difference", 4)
    shared_server.call("POST", f"/experiments/{experiment}/question/continue")
    until(lambda: state(shared_server, experiment)["n"] == 6, "it goes on to the end of its budget")
    found = until(lambda: (one := state(shared_server, experiment))["state"] == "answered" and one, "it ends")
    assert found["sentences"][1].endswith("Settled after 4; 2 more ran on and count as well.")
    with shared_server.api() as client:
        refused = client.post(f"/experiments/{experiment}/question/continue")
    assert refused.status_code == 422
    assert "is used up (6 of 6 seeds" in refused.json()["detail"]


def test_two_runs_become_a_question_with_seeds_of_its_own(shared_server: Server) -> None:
    slow = {**BASE, "optimizer": {"name": "sgd", "lr": 0.0001}}
    grid = {"seed": [3, 7]}
    seen = shared_server.call("POST", "/experiments", json={"name": "seen", "base": slow, "grid": grid})["run_ids"]
    other = {"dataset": "digits", "batch_size": 200, "model": "cnn", "optimizer": {"name": "adam", "lr": 0.02}}
    second = shared_server.launch(**other, seed=5)
    for run in (*seen, second):
        shared_server.wait_for(run, "succeeded")
    made = shared_server.call("POST", "/experiments/ask", json={"first": seen[0], "second": second, "max_seeds": 6})
    found = answered(shared_server, made["id"])
    assert (found["kind"], found["answer"]) == ("difference", "difference")
    assert [cell["model"] for cell in found["cells"]] == ["fc", "cnn"]
    assert sorted(one["seed"] for one in found["sets"])[:4] == [8, 9, 10, 11], "after those that were seen"
    one, two = (shared_server.run(run["run"])["spec"] for run in found["sets"][0]["runs"])
    for spec, asked in ((one, seen[0]), (two, second)):
        assert {**spec, "seed": 0} == {**shared_server.run(asked)["spec"], "seed": 0}
    assert made["name"] == found["asked"]
    with shared_server.api() as client:
        for body, words in (
            ({"first": seen[0], "second": seen[0]}, "as first is: name a run with other knobs"),
            ({"first": seen[0], "second": seen[1]}, "is the same configuration as first: change a knob"),
            ({"first": seen[0], "second": second, "max_seeds": 3}, "max_seeds is 3"),
            ({"first": seen[0], "second": second, "measure": "luck"}, "measure"),
        ):
            refused = client.post("/experiments/ask", json=body)
            assert refused.status_code == 422
            assert words in refused.json()["detail"]
        assert client.post("/experiments/ask", json={"first": seen[0], "second": 10**6}).status_code == 404


def test_the_budget_ends_it_and_a_larger_one_goes_on(shared_server: Server) -> None:
    # a difference of a hair between two small rates, and any difference would matter
    experiment = ask(shared_server, {"optimizer.lr": [0.05, 0.051]}, smallest=0, max_seeds=4)
    found = answered(shared_server, experiment)
    assert (found["state"], found["answer"], found["n"]) == ("spent", "open", 4)
    assert found["sentences"][1].startswith("From 4 seed sets: ")
    assert "The budget is spent." in found["sentences"][1]
    shared_server.call("PATCH", f"/experiments/{experiment}/question", json={"max_seeds": 5})
    until(lambda: state(shared_server, experiment)["n"] == 5, "one more seed was launched")
    assert answered(shared_server, experiment)["max_seeds"] == 5


def test_asking_survives_a_restart_and_a_stop(places: Places, tmp_path: Path) -> None:
    with serving(tmp_path / "home", places.prepared, RUNYARD_CPU_SLOTS="2") as own:
        experiment = ask(own, {"optimizer.lr": [0.05, 0.051]}, smallest=0, max_seeds=6)
        own.call("POST", f"/experiments/{experiment}/question/stop")
        assert state(own, experiment)["state"] == "stopped"
        until(lambda: state(own, experiment)["n"] == 4, "what was queued runs on, and counts")
        assert len(state(own, experiment)["sets"]) == 4
        own.call("POST", f"/experiments/{experiment}/question/continue")
        own.restart()
        found = answered(own, experiment)
        assert (found["state"], found["n"]) == ("spent", 6)


def test_stopping_the_experiment_asks_no_further(own_server: Server) -> None:
    experiment = ask(own_server, {"epochs": [400, 401]})
    until(lambda: own_server.workers(), "a run is at work")
    own_server.call("POST", f"/experiments/{experiment}/stop")
    until(
        lambda: own_server.call("GET", f"/experiments/{experiment}")["counts"]["stopped"] == 8, "all runs are stopped"
    )
    found = state(own_server, experiment)
    assert (found["state"], len(found["sets"])) == ("stopped", 4)


def test_runs_that_fail_end_the_asking(shared_server: Server) -> None:
    nan = {"model": {"name": "fc", "n_hidden": 512}, "optimizer": {"name": "sgd", "lr": 100, "momentum": 0.99}}
    body = {
        "name": "Breaks",
        "base": {**BASE, **nan, "epochs": 2},
        "grid": {"pixel_order": ["original", "shuffled"]},
        "question": {"knobs": ["pixel_order"]},
    }
    experiment = shared_server.call("POST", "/experiments", json=body)["id"]
    found = until(lambda: (one := state(shared_server, experiment))["state"] == "failed" and one, "it gives up")
    assert sum(one["has_failed"] for one in found["sets"]) >= 3
    until(
        lambda: shared_server.call("GET", f"/experiments/{experiment}")["counts"]["failed"] == 8,
        "its last runs end too",
    )


def test_configurations_interactions_and_plans(shared_server: Server) -> None:
    two = {
        "name": "Two",
        "base": BASE,
        "question": {"kind": "difference", "first": {"batch_size": 100}, "second": {"model": "cnn"}},
    }
    planned = shared_server.call("POST", "/experiments/plan", json=two)
    assert (planned["runs"], planned["most_runs"]) == (8, 40)
    assert planned["question"] == ("Does CNN, batch size 200 instead of FC, batch size 100 change the test accuracy?")
    grid = {"model": ["fc", "cnn"], "pixel_order": ["original", "shuffled"]}
    more = {"name": "More", "base": BASE, "grid": grid, "question": {"kind": "interaction", "knobs": list(grid)}}
    planned = shared_server.call("POST", "/experiments/plan", json=more)
    assert (planned["runs"], planned["most_runs"], len(planned["configurations"])) == (16, 80, 4)
    assert planned["question"].endswith("of the CNN as it changes that of the FC net?")


@pytest.mark.parametrize(
    ("grid", "question", "words"),
    [
        ({"model": ["fc"]}, {"knobs": ["model"]}, "question.knobs names model, which has 1 values in the grid"),
        (RATES, {"knobs": []}, "question.knobs has 0: an effect needs 1, as keys of the grid"),
        (RATES, {"kind": "interaction", "knobs": ["optimizer.lr"]}, "an interaction needs 2"),
        (RATES, {"kind": "difference"}, "the grid has optimizer.lr: leave only seeds in the grid"),
        ({}, {"kind": "difference"}, "question.second is the same configuration as first"),
        (RATES, {"knobs": ["optimizer.lr"], "max_seeds": 3}, "max_seeds"),
        ({**RATES, "seed": [1, 2, 3, 4, 5]}, {"knobs": ["optimizer.lr"], "max_seeds": 4}, "the grid has 5 seeds"),
        (
            RATES,
            {"knobs": ["optimizer.lr"], "measure": "accuracy"},
            "nothing is called 'accuracy'",
        ),
        ({"optimizer.lr": [0.1, -1]}, {"knobs": ["optimizer.lr"]}, "optimizer.lr is -1"),
    ],
    ids=["one value", "no knob", "one of two", "grid", "same", "three seeds", "seeds", "measure", "spec"],
)
def test_a_question_that_can_not_be_asked_says_why(
    shared_server: Server, grid: dict[str, Any], question: dict[str, Any], words: str
) -> None:
    body = {"name": "Wrong", "base": BASE, "grid": grid, "question": question}
    with shared_server.api() as client:
        for path in ("/experiments", "/experiments/plan"):
            answer = client.post(path, json=body)
            assert answer.status_code == 422
            assert words in answer.json()["detail"]


def test_an_experiment_without_a_question_says_so(shared_server: Server) -> None:
    made = shared_server.call("POST", "/experiments", json={"name": "Plain", "base": {**BASE, "batch_size": 900}})
    with shared_server.api() as client:
        assert "carries no question" in client.get(f"/experiments/{made['id']}/question").json()["detail"]
        assert client.post(f"/experiments/{made['id']}/question/stop").status_code == 422
