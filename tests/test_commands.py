"""The command line does what the browser does, prints JSON where asked, and leaves with a code that scripts can use."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.store import series
from app.store.engine import open_database, writing
from app.store.series import Point
from tests.serving import Server, until
from tests.template import template

LONG = ["dataset=digits", "model=cnn", "epochs=500"]
SHORT = ["dataset=digits", "model=fc", "batch_size=500"]


@pytest.fixture(scope="module")
def server(shared_server: Server) -> Server:
    return shared_server


def runyard(server: Server | str, *arguments: object, code: int = 0) -> str:
    url = server if isinstance(server, str) else server.url
    found = template().run([*map(str, arguments)], {**os.environ, "RUNYARD_URL": url, "COLUMNS": "80"})
    assert found.returncode == code, (found.returncode, found.stdout, found.stderr)
    assert "Traceback" not in found.stderr
    return found.stdout if code == 0 else found.stdout + found.stderr


def as_json(server: Server, *arguments: object) -> Any:
    return json.loads(runyard(server, *arguments, "--json"))


def test_launch_watch_show_compare_export_and_delete(server: Server) -> None:
    assert "2 runs, 30 steps" in runyard(server, "launch", *SHORT, "seed=1,2", "--plan")
    made = as_json(server, "launch", *SHORT, "seed=1,2", "--name", "from a shell", "--watch")
    assert (made["name"], len(made["run_ids"])) == ("from a shell", 2)
    first, second = made["run_ids"]
    assert as_json(server, "runs", "-e", made["id"], "--sort", "created") == [server.run(first), server.run(second)]
    assert "succeeded" in runyard(server, "runs", "-e", made["id"], "--sort", "-test/accuracy.best", "--limit", 1)
    assert as_json(server, "show", first) == server.run(first)
    assert "6,442 parameters" in runyard(server, "show", first)
    assert "finished after 15 steps" in runyard(server, "log", first, "--follow")
    table = runyard(server, "compare", "-e", made["id"])
    assert "2/2" in table
    assert " ± " in table
    assert "…" not in table
    assert max(map(len, table.splitlines())) <= 80
    assert as_json(server, "compare", first, second)["runs"] == 2
    rows = list(csv.DictReader(io.StringIO(runyard(server, "export", first, "--what", "runs"))))
    assert [row["id"] for row in rows] == [str(first)]
    again = as_json(server, "relaunch", first, "seed=7")["run_ids"]
    runyard(server, "watch", *again)
    runyard(server, "tag", first, second, "--add", "by command")
    runyard(server, "note", first, "the better one")
    assert [run["id"] for run in as_json(server, "runs", "--tag", "by command")] == [second, first]
    assert "the better one" in runyard(server, "show", first)
    runyard(server, "delete", first)
    assert "does not exist" in runyard(server, "show", first, code=1)
    runyard(server, "restore", first)
    runyard(server, "delete", "-e", made["id"])
    assert as_json(server, "runs", "--search", f"id={again[0]}") == []


def test_a_replay_is_bit_identical_or_says_where_it_differs(server: Server) -> None:
    (first,) = as_json(server, "launch", *SHORT, "seed=5", "--watch")["run_ids"]
    server.measure_beside(first)  # is no part of what the training does
    found = as_json(server, "replay", first)
    assert (found["identical"], found["points"], found["environment"]) == (True, 41, {})
    assert f"run {found['replay']} is bit-identical to run {first}: 41 points of 5 series" == found["said"]
    # what was recorded is changed behind its back, as another processor would have given it
    engine = open_database(server.home / "runyard.db")
    with writing(engine) as session:
        series.cut(session, first, 9, 100)
        series.append(session, first, [Point("train/loss", 10, 0.1, 1.0)])
    engine.dispose()
    said = runyard(server, "replay", first, code=4)
    assert "from step 10 of early/accuracy on, in the same environment" in said


def test_a_random_search_is_launched(server: Server) -> None:
    drawn = as_json(server, "launch", *SHORT, "optimizer.lr=0.001..0.1:log", "--random", "3", "--plan")
    rates = [one["spec"]["optimizer"]["lr"] for one in drawn["configurations"]]
    assert len(set(rates)) == 3
    assert all(0.001 <= rate <= 0.1 for rate in rates)
    assert "--random 3 draws nothing: give a range" in runyard(server, "launch", *SHORT, "--random", "3", code=1)
    wrong = runyard(server, "launch", *SHORT, "epochs=1..many", "--random", "3", code=1)
    assert "epochs is '1..many': a range is LOW..HIGH" in wrong


def test_more_seeds_and_values_are_added(server: Server) -> None:
    made = as_json(server, "launch", *SHORT, "seed=1", "--watch")["id"]
    assert len(as_json(server, "more", made, "--seeds", "2")["run_ids"]) == 2
    assert len(as_json(server, "more", made, "batch_size=450")["run_ids"]) == 3
    assert "what to add is missing" in runyard(server, "more", made, code=1)
    runyard(server, "watch", "-e", made)


@pytest.mark.mend("B9")
def test_what_is_exported_to_the_terminal_is_added_where_that_goes_to(server: Server, tmp_path: Path) -> None:
    made = as_json(server, "launch", *SHORT, "seed=1", "--watch")["run_ids"]
    everything = tmp_path / "all.csv"
    everything.write_text("what was there before\n")
    command = [sys.executable, "-m", "app.cli", "export", str(made[0])]
    with everything.open("ab") as file:
        subprocess.run(command, env={**os.environ, "RUNYARD_URL": server.url}, stdout=file, check=True)
    first, second, *rest = everything.read_text().splitlines()
    assert (first, second) == ("what was there before", "run,metric,step,time,value")
    assert len(rest) > 10


def test_seeds_that_were_never_used_are_taken_when_asked_for(server: Server) -> None:
    short = ("model=fc", "dataset=digits", "batch_size=460", "epochs=1")
    first = as_json(server, "launch", *short, "seed=1,2", "--watch", "--smallest", "0.02")
    assert server.call("GET", f"/experiments/{first['id']}")["smallest"] == 0.02
    new = as_json(server, "launch", *short, "seed=1,2", "--new-seeds")
    seeds = [server.run(run)["spec"]["seed"] for run in new["run_ids"]]
    assert seeds == [3, 4]
    runyard(server, "watch", "-e", new["id"])
    said = runyard(server, "compare", "-e", first["id"], "--smallest", "0.5")
    assert "95% interval of the mean" in " ".join(said.split())


def test_find_the_best(server: Server) -> None:
    rates = ("model=fc", "dataset=digits", "batch_size=200", "epochs=1", "optimizer.lr=0.0001,0.2")
    said = runyard(server, "best", *rates, "--measure", "test/loss", "--seeds", "12")
    question, head, *_, why = said.splitlines()
    assert question == "Which learning rate gives the lowest test loss?"
    assert head == "Learning rate 0.2 is the best of 2; the other is ruled out."
    assert why.startswith("Settled after ")
    held_out = as_json(server, "best", *rates, "validation=100", "--runs", "20", "--detach")
    assert held_out["measure"]["name"] == "validation/accuracy"
    assert (held_out["max_runs"], held_out["max_seeds"]) == (20, 30)
    assert as_json(server, "question", held_out["experiment"], "--stop", "--runs", "30")["max_runs"] == 30
    server.call("POST", f"/experiments/{held_out['experiment']}/stop")
    assert "the grid has one configuration" in runyard(server, "best", "model=fc", code=1)


def test_ask_until_answered(server: Server) -> None:
    rates = ("model=fc", "dataset=digits", "batch_size=200", "epochs=1", "optimizer.lr=0.0001,0.2")
    said = runyard(server, "ask", *rates, "--measure", "test/loss", "--seeds", "8", "--smallest", "0.001")
    question, head, why = said.splitlines()
    assert question == "Does learning rate 0.2 instead of 0.0001 change the test loss of the FC net?"
    assert head.startswith("Yes. Learning rate 0.2 instead of 0.0001 lowered the test loss of the FC net by ")
    assert "Settled after" in why
    experiment = as_json(server, "ask", *rates, "--detach", "--seeds", "4")["experiment"]
    assert as_json(server, "question", experiment, "--stop", "--seeds", "5")["state"] == "stopped"
    assert as_json(server, "question", experiment, "--continue")["max_seeds"] == 5
    assert "--about is missing: name the knob" in runyard(server, "ask", "model=fc,cnn", "epochs=1,2", code=1)
    assert "does not exist" in runyard(server, "question", 999, code=1)
    first, second = server.call("GET", f"/experiments/{experiment}")["run_ids"][:2]
    between = as_json(server, "ask", "--between", first, second, "--detach", "--name", "again")
    assert (between["kind"], between["asked"]) == ("difference", question.replace("loss of the FC net", "accuracy"))
    assert "takes all knobs of its runs" in runyard(server, "ask", "model=fc", "--between", 1, 2, code=1)
    server.call("POST", f"/experiments/{between['experiment']}/stop")
    server.call("POST", f"/experiments/{experiment}/stop")


def test_stop_pause_resume_and_first(server: Server) -> None:
    ids = as_json(server, "launch", *LONG, "seed=1,2,3,4")["run_ids"]
    runyard(server, "first", ids[3])
    server.wait_for(ids[0], "running", steps=10)
    runyard(server, "pause", ids[0])
    assert "is paused" in runyard(server, "watch", ids[0], code=4)
    runyard(server, "resume", ids[0])
    refused = runyard(server, "resume", ids[0], ids[1], code=1)
    assert "only a run that is paused, failed, stopped or lost can be resumed" in refused
    assert as_json(server, "stop", "-e", server.run(ids[0])["experiment_id"])["refused"] == []
    until(lambda: all(server.run(run_id)["status"] == "stopped" for run_id in ids), "all are stopped")


def test_relaunching_what_failed(server: Server) -> None:
    made = as_json(server, "launch", "dataset=digits", "model=fc", "model.n_hidden=512", "optimizer.lr=100")
    runyard(server, "watch", "-e", made["id"], code=4)
    assert len(as_json(server, "relaunch", "--failed-of", made["id"])["run_ids"]) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["launch", "epochs"], "is no KNOB=VALUE"),
        (["launch", "epochs=0"], "epochs is 0"),
        (["launch", "--preset", "nothing"], "choose mnist-fc-vs-cnn"),
        (["watch"], "which runs is missing"),
        (["stop", 1, "-e", 1], "which runs is missing"),
        (["relaunch"], "what to relaunch is missing"),
        (["runs", "--sort", "luck"], "choose created"),
        (["show", 999999], "does not exist"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_wrong_use_is_one_line(server: Server, arguments: list[object], words: str) -> None:
    said = runyard(server, *arguments, code=1)
    assert words in said
    assert said.startswith("runyard: ")
    assert said.count("\n") == 1


def test_no_server_is_a_code_of_its_own() -> None:
    assert "start one with runyard serve" in runyard("http://127.0.0.1:1", "runs", code=3)
