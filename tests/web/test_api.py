"""The API's answers, against a real server with a few finished runs."""

import base64
import contextlib
import csv
import io
import json
import math
import socket
import sqlite3
import threading
from typing import Any

import httpx
import psutil
import pytest

from tests.serving import Server, until
from trainer import catalog

GRID = {"model": ["fc", "cnn"], "pixel_order": ["original", "shuffled"], "seed": [1, 2]}


@pytest.fixture(scope="module")
def server(quick_server: Server) -> Server:
    """One of its own, whose memory is measured."""
    return quick_server


@pytest.fixture(scope="module")
def experiment(server: Server) -> dict[str, Any]:
    made: dict[str, Any] = server.call(
        "POST",
        "/experiments",
        json={"name": "Four ways", "base": {"dataset": "digits", "batch_size": 500}, "grid": GRID},
    )
    for run_id in made["run_ids"]:
        server.wait_for(run_id, "succeeded")
    return made


def test_a_plan_says_what_a_launch_would_make_and_makes_nothing(server: Server) -> None:
    body = {"name": "x", "base": {"dataset": "mnist"}, "grid": {**GRID, "optimizer.lr": [0.1, 0.01]}}
    before = server.call("GET", "/experiments")
    plan = server.call("POST", "/experiments/plan", json=body)
    assert (plan["runs"], plan["seeds"], len(plan["configurations"]), plan["steps"]) == (16, 2, 8, 16 * 938)
    assert plan["configurations"][0]["name"] == "FC, in order, learning rate 0.1"
    assert plan["configurations"][0]["parameters"] == 6442
    assert server.call("GET", "/experiments") == before


def test_an_experiment_is_shown_with_its_runs_and_counts(server: Server, experiment: dict[str, Any]) -> None:
    found = server.call("GET", f"/experiments/{experiment['id']}")
    assert found["run_ids"] == experiment["run_ids"]
    assert found["counts"]["succeeded"] == 8
    assert found["grid"] == GRID


def test_runs_are_listed_filtered_and_sorted(server: Server, experiment: dict[str, Any]) -> None:
    def listed(**params: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = server.call("GET", "/runs", params=params)["items"]
        return found

    of_experiment = listed(experiment=experiment["id"], order="asc")
    assert [run["id"] for run in of_experiment] == experiment["run_ids"]
    assert listed(experiment=experiment["id"], status="failed") == []
    best = listed(experiment=experiment["id"], sort="test/accuracy")
    accuracies = [run["summary"]["test/accuracy"]["last"] for run in best]
    assert accuracies == sorted(accuracies, reverse=True)
    assert [run["name"] for run in listed(experiment=experiment["id"], q="CNN-shuffled")] == [
        "cnn-shuffled-2",
        "cnn-shuffled-1",
    ]
    assert listed(q="%") == []
    assert listed(dataset="mnist") == []


def test_pages_follow_by_cursor(server: Server, experiment: dict[str, Any]) -> None:
    first = server.call("GET", "/runs", params={"experiment": experiment["id"], "limit": 5})
    second = server.call("GET", "/runs", params={"experiment": experiment["id"], "limit": 5, "cursor": first["next"]})
    assert [run["id"] for run in first["items"] + second["items"]] == experiment["run_ids"][::-1]
    assert second["next"] is None


def test_series_of_several_runs_have_the_same_buckets(server: Server, experiment: dict[str, Any]) -> None:
    long = server.launch(dataset="digits", model="fc", epochs=20, batch_size=500)
    server.wait_for(long, "succeeded")
    ids = [*experiment["run_ids"][:2], long]
    found = server.call("GET", "/series", params={"run": ids, "points": 50, "smoothing": 0.5})
    assert found["width"] == 8  # 300 steps of the longest run in at most 50 buckets
    assert [curve["run"] for curve in found["items"]] == ids
    assert found["items"][0]["steps"] == [8, 15]
    assert len(found["items"][2]["steps"]) == 38
    tail = server.call("GET", f"/runs/{long}/series", params={"width": 8, "smoothing": 0.5, "from": 289})
    for name in ("steps", "min", "max", "mean", "last", "smoothed"):
        assert tail[name] == found["items"][2][name][-2:]


def test_a_short_run_has_its_accuracy_early_and_is_not_judged_by_it(server: Server, experiment: dict[str, Any]) -> None:
    run = server.run(experiment["run_ids"][0])
    early = server.call("GET", f"/runs/{run['id']}/series", params={"name": "early/accuracy"})
    assert 0 < early["steps"][0] <= early["steps"][-1] < run["steps_total"]
    assert (early["metric"]["unit"], early["metric"]["better"]) == ("fraction", None)
    compared = server.call("GET", "/compare", params={"experiment": experiment["id"]})
    assert compared["measure"]["name"] == "test/accuracy"
    assert "early/accuracy" in compared["series"]
    params = {"experiment": experiment["id"], "measure": "early/accuracy"}
    by_it = server.call("GET", "/compare", params=params)["verdict"]["sentences"]
    assert by_it[-1].startswith("Nothing is judged: whether more or less early accuracy is better"), by_it


def test_the_csv_is_every_point_exactly(server: Server, experiment: dict[str, Any]) -> None:
    run_id = experiment["run_ids"][0]
    exact = server.call("GET", f"/runs/{run_id}/series", params={"points": 10_000})
    with server.api() as client:
        rows = list(csv.DictReader(io.StringIO(client.get(f"/runs/{run_id}/series?raw=true").text)))
    assert [int(row["step"]) for row in rows] == exact["steps"]
    assert [float(row["value"]) for row in rows] == exact["last"]
    assert [float(row["time"]) for row in rows] == exact["times"]


def test_a_comparison_has_figures_differences_and_a_verdict(server: Server, experiment: dict[str, Any]) -> None:
    found = server.call("GET", "/compare", params={"experiment": experiment["id"]})
    assert (found["title"], found["runs"], found["ended"]) == ("Four ways", 8, 8)
    assert [group["name"] for group in found["groups"]] == [
        "FC, in order",
        "FC, shuffled",
        "CNN, in order",
        "CNN, shuffled",
    ]
    assert (found["rows"], found["columns"]) == ("model", "pixel_order")
    assert {one["knob"]: one["titles"] for one in found["differences"]} == {
        "model": ["FC", "CNN"],
        "pixel_order": ["in order", "shuffled"],
        "seed": ["1", "2"],
    }
    figure = found["groups"][0]["metrics"]["test/accuracy"]
    values = [one["value"] for one in figure["values"]]
    assert figure["n"] == 2
    assert figure["mean"] == pytest.approx(sum(values) / 2)
    assert figure["published"] is None
    assert 0 <= figure["low"] <= figure["mean"] <= figure["high"] <= 1, "of accuracies, not beyond 0% and 100%"
    assert figure["median"] == pytest.approx(figure["mean"])
    assert found["groups"][0]["measured"] == {key: figure[key] for key in ("n", "mean", "std", "low", "high", "median")}
    contrasts = found["facts"]["contrasts"]
    assert [one["kind"] for one in contrasts] == ["change", "change", "pair", "pair", "interaction"]
    assert {one["family"] for one in contrasts} == {5}
    means = [group["measured"]["mean"] for group in found["groups"]]
    assert contrasts[-1]["value"] == pytest.approx((means[3] - means[2]) - (means[1] - means[0]))
    assert contrasts[-1]["title"] == "Shuffling the pixels: CNN more than FC net"
    verdict = found["verdict"]
    assert (verdict["watched"], verdict["knob"], verdict["heads"]) == (False, "pixel_order", ["in order", "shuffled"])
    assert len(verdict["sentences"]) >= 2
    assert all(row["difference"]["matched"] == "seed" for row in verdict["rows"])
    same = server.call("GET", "/compare", params={"run": experiment["run_ids"][:4]})
    assert [group["name"] for group in same["groups"]] == ["FC, in order", "FC, shuffled"]
    assert same["verdict"]["watched"], "runs chosen by hand: their number was not fixed beforehand"


def test_other_software_is_told_and_a_caution_where_it_goes_along_with_a_knob(quick_server: Server) -> None:
    base = {"dataset": "digits", "batch_size": 500, "epochs": 1}
    grid = {"model": ["fc", "cnn"], "seed": [1, 2]}
    made = quick_server.call("POST", "/experiments", json={"name": "Two torches", "base": base, "grid": grid})
    for run_id in made["run_ids"]:
        quick_server.wait_for(run_id, "succeeded")

    def compared_after(torch: str, *run_ids: int) -> Any:
        """As if these runs had been with another PyTorch, before an upgrade."""
        with contextlib.closing(sqlite3.connect(quick_server.home / "runyard.db")) as connection, connection:
            for run_id in run_ids:
                noted = "UPDATE attempt SET environment = json_set(environment, '$.torch', ?) WHERE run_id = ?"
                connection.execute(noted, (torch, run_id))
        return quick_server.call("GET", "/compare", params={"experiment": made["id"]})

    alike = compared_after("")
    assert alike["ran_on"] == []
    fc_first, fc_second, cnn_first, _ = made["run_ids"]
    mixed = compared_after("2.0.0", fc_first, cnn_first)
    (told,) = mixed["ran_on"]
    assert (told["title"], told["values"][0], told["apart"]) == ("PyTorch", "2.0.0", False)
    assert mixed["verdict"]["note"] == alike["verdict"]["note"]
    compared_after("2.0.0", fc_second)
    apart = compared_after("2.9.0", cnn_first)
    assert apart["ran_on"][0]["apart"]
    assert "Configurations ran with different PyTorch (2.0.0, 2.9.0, " in apart["verdict"]["note"]
    assert apart["verdict"]["note"].endswith("that may be part of a difference.")


def test_any_number_of_a_run_can_be_compared(server: Server, experiment: dict[str, Any]) -> None:
    def measured(measure: str) -> Any:
        found = server.call("GET", "/compare", params={"experiment": experiment["id"], "measure": measure})
        return next(one for one in found["groups"][0]["values"] if one["run"] == run_id)

    run_id = experiment["run_ids"][0]
    run = server.run(run_id)
    summary = run["summary"]["test/accuracy"]
    assert measured("test/accuracy") == {"run": run_id, "value": summary["last"]}
    assert measured("test/accuracy.best")["value"] == summary["best"]
    with server.api() as client:
        rows = client.get(f"/runs/{run_id}/series", params={"raw": True}).text.splitlines()[1:]
    losses = [float(row.split(",")[2]) for row in rows]
    assert measured("train/loss.at=3")["value"] == losses[2]
    assert measured(f"train/loss.steps_to={losses[1]}")["value"] <= 2
    assert measured("seconds")["value"] == run["seconds"]
    assert measured("images_per_second")["value"] > 0
    never = server.call("GET", "/compare", params={"experiment": experiment["id"], "measure": "train/loss.steps_to=0"})
    assert never["groups"][0]["measured"] is None
    assert never["verdict"]["sentences"][-1].startswith(
        "A training loss of 0 was reached by none of 2 runs of FC, in order, by none of 2 of FC,"
    )


def test_a_measure_that_does_not_exist_is_refused_with_those_that_do(server: Server) -> None:
    with server.api() as client:
        answer = client.get("/compare", params={"run": 1, "measure": "test/accuracy.mean"})
    assert answer.status_code == 422
    assert (
        "measure is 'test/accuracy.mean': nothing is called 'test/accuracy.mean'; METRIC in METRIC, METRIC.best"
        in answer.json()["detail"]
    )


def test_seeds_and_values_are_added_and_beyond_the_plan_the_answer_is_one_that_was_watched(
    quick_server: Server,
) -> None:
    body = {"name": "Plan", "base": {"batch_size": 430}, "grid": {"model": ["fc"], "seed": [1, 2]}}
    planned = quick_server.call("POST", "/experiments/plan", json=body)
    assert planned["already"] == []
    made = quick_server.call("POST", "/experiments", json=body)

    def compared() -> Any:
        return quick_server.call("GET", "/compare", params={"experiment": made["id"]})

    plan = compared()["facts"]["plan"]
    assert (plan["state"], plan["runs"]) == ("running", 2)
    for run_id in made["run_ids"]:
        quick_server.wait_for(run_id, "succeeded")
    assert not compared()["verdict"]["watched"]
    assert quick_server.call("POST", "/experiments/plan", json=body)["already"] == made["run_ids"]
    again = quick_server.call("POST", f"/runs/{made['run_ids'][0]}/relaunch", json={})
    quick_server.wait_for(again["id"], "succeeded")
    assert not compared()["verdict"]["watched"], "the same seed again says nothing new"
    assert compared()["groups"][0]["measured"]["n"] == 2
    more = quick_server.call("POST", f"/experiments/{made['id']}/more", json={"seeds": 2})["run_ids"]
    assert [quick_server.wait_for(run_id, "succeeded")["spec"]["seed"] for run_id in more] == [3, 4]
    assert compared()["verdict"]["watched"]
    added = quick_server.call("POST", f"/experiments/{made['id']}/more", json={"values": {"batch_size": [400, 430]}})
    specs = [quick_server.wait_for(run_id, "succeeded")["spec"] for run_id in added["run_ids"]]
    assert sorted((spec["batch_size"], spec["seed"]) for spec in specs) == [(400, 1), (400, 2), (400, 3), (400, 4)]
    assert len(compared()["groups"]) == 2


def test_what_had_been_seen_before_an_experiment_is_watched_and_other_seeds_are_offered(quick_server: Server) -> None:
    body = {"name": "First", "base": {"batch_size": 440}, "grid": {"model": ["fc", "cnn"], "seed": [1, 2]}}
    first = quick_server.call("POST", "/experiments", json=body)
    for run_id in first["run_ids"]:
        quick_server.wait_for(run_id, "succeeded")
    planned = quick_server.call("POST", "/experiments/plan", json=body)
    assert (planned["already"], planned["unused_seeds"]) == (first["run_ids"], [3, 4])
    again = quick_server.call("POST", "/experiments", json={**body, "grid": {"model": ["fc", "cnn"], "seed": [2, 3]}})
    ended = [quick_server.wait_for(run_id, "succeeded") for run_id in again["run_ids"]]
    assert [run["repeats"] for run in ended] == [first["run_ids"][1], None, first["run_ids"][3], None]
    seen = quick_server.call("GET", "/compare", params={"experiment": again["id"]})
    assert (seen["facts"]["plan"]["state"], seen["verdict"]["watched"]) == ("over", True)
    assert seen["verdict"]["note"].startswith("Some runs repeat what had been seen before")
    new = quick_server.call("POST", "/experiments", json={**body, "grid": {"model": ["fc", "cnn"], "seed": [4, 5]}})
    for run_id in new["run_ids"]:
        quick_server.wait_for(run_id, "succeeded")
    assert not quick_server.call("GET", "/compare", params={"experiment": new["id"]})["verdict"]["watched"]


def test_what_else_is_known_of_the_same_configurations_is_linked_both_ways(quick_server: Server) -> None:
    base = {"dataset": "digits", "batch_size": 700}

    def launched(name: str, **grid: list[Any]) -> int:
        made = quick_server.call("POST", "/experiments", json={"name": name, "base": base, "grid": grid})
        for run_id in made["run_ids"]:
            quick_server.wait_for(run_id, "succeeded")
        experiment: int = made["id"]
        return experiment

    two = launched("two", model=["fc", "cnn"], seed=[31])
    four = launched("four", model=["fc", "cnn"], pixel_order=["original", "shuffled"], seed=[32])
    one = launched("one", model=["fc"], seed=[33])

    def related(experiment: int) -> list[tuple[int, str, int]]:
        found = quick_server.call("GET", f"/experiments/{experiment}/related")
        for each in found:
            compared = quick_server.call("GET", "/compare", params={"experiment": each["experiment"]})["verdict"]
            assert each["answer"] == compared["sentences"][compared["headline"]]
        return [(each["experiment"], each["name"], each["shared"]) for each in found]

    assert related(two) == [(four, "four", 2)]
    assert related(four) == [(two, "two", 2)]
    assert related(one) == []
    quick_server.call("PATCH", f"/experiments/{four}", json={"archived": True})
    assert related(two) == []


def test_what_matters_is_said_at_the_launch_or_later_or_in_the_address(quick_server: Server) -> None:
    body = {"name": "Matters", "base": {"batch_size": 480, "model": "fc"}, "grid": {"seed": [1, 2]}, "smallest": 0.02}
    made = quick_server.call("POST", "/experiments", json=body)
    assert made["smallest"] == 0.02
    for run_id in made["run_ids"]:
        quick_server.wait_for(run_id, "succeeded")

    def matters(**params: Any) -> float:
        found = quick_server.call("GET", "/compare", params={"experiment": made["id"], **params})
        return float(found["facts"]["smallest"])

    loss = quick_server.call("GET", "/compare", params={"experiment": made["id"], "measure": "test/loss"})
    assert matters() == 0.02
    assert matters(smallest=0.5) == 0.5
    assert matters(measure="test/loss") == pytest.approx(0.05 * loss["groups"][0]["measured"]["mean"])
    assert quick_server.call("PATCH", f"/experiments/{made['id']}", json={"smallest": 0})["smallest"] == 0
    assert matters() == 0
    assert matters(measure="test/accuracy.best") == 0.01
    with quick_server.api() as client:
        refused = client.post("/experiments", json={**body, "smallest": -1})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "smallest")
        assert client.get("/compare", params={"experiment": made["id"], "smallest": "nan"}).status_code == 422


def test_a_stop_by_somebody_makes_a_plan_watched(quick_server: Server) -> None:
    body = {"name": "Stopped", "base": {"batch_size": 64, "epochs": 100}, "grid": {"model": ["fc"], "seed": [1, 2, 3]}}
    made = quick_server.call("POST", "/experiments", json=body)
    plan = quick_server.call("GET", "/compare", params={"experiment": made["id"]})["facts"]["plan"]
    assert plan == {"state": "running", "runs": 3, "to_go": 3}
    quick_server.call("POST", f"/experiments/{made['id']}/stop")
    for run_id in made["run_ids"]:
        quick_server.wait_for(run_id, "stopped")
    found = quick_server.call("GET", "/compare", params={"experiment": made["id"]})
    assert found["facts"]["plan"]["state"] == "watched"
    assert found["verdict"]["sentences"][0] == "All 3 runs of FC, in order were stopped."


def test_a_run_that_learned_nothing_says_so(quick_server: Server) -> None:
    run = quick_server.wait_for(quick_server.launch(model="fc", batch_size=2048, epochs=1), "succeeded")
    assert run["untrained"] is True
    trained = quick_server.launch(model="fc", batch_size=50, epochs=3, optimizer={"name": "sgd", "lr": 0.1})
    assert quick_server.wait_for(trained, "succeeded")["untrained"] is False
    compared = quick_server.call("GET", "/compare", params={"run": [run["id"], trained]})
    assert compared["verdict"]["sentences"][0].startswith("The one run of epochs 1, batch size 2,048, ")
    assert "learned nothing" in compared["verdict"]["sentences"][0]


def test_an_archived_experiment_is_kept_and_out_of_the_way(quick_server: Server) -> None:
    body = {"name": "Old", "base": {"batch_size": 500, "model": "fc"}}
    made = quick_server.call("POST", "/experiments", json=body)
    (run_id,) = made["run_ids"]
    quick_server.wait_for(run_id, "succeeded")
    alone = quick_server.launch(model="fc", batch_size=500)
    assert quick_server.call("PATCH", f"/experiments/{made['id']}", json={"archived": True})["archived"]

    def listed(path: str, **params: Any) -> list[int]:
        return [one["id"] for one in quick_server.call("GET", path, params={"limit": 500, **params})["items"]]

    assert run_id not in listed("/runs")
    assert alone in listed("/runs"), "a run of no experiment stays"
    assert run_id in listed("/runs", archived=True)
    assert alone not in listed("/runs", archived=True)
    assert listed("/runs", experiment=made["id"]) == [run_id]
    assert made["id"] not in listed("/experiments")
    assert made["id"] in listed("/experiments", archived=True)
    quick_server.call("PATCH", f"/experiments/{made['id']}", json={"archived": False})
    assert run_id in listed("/runs")
    quick_server.wait_for(alone, "succeeded")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "seeds and values are missing"),
        ({"seeds": 101}, "seeds is 101"),
        ({"values": {"optimizer.lr": [-1]}}, "optimizer.lr is -1"),
        ({"values": {"rate": [1]}}, "grid.rate is not a knob"),
    ],
    ids=["nothing", "too many", "value", "knob"],
)
def test_what_cannot_be_added_is_said(
    server: Server, experiment: dict[str, Any], body: dict[str, Any], words: str
) -> None:
    with server.api() as client:
        answer = client.post(f"/experiments/{experiment['id']}/more", json=body)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


def test_published_figures_stand_beside_the_recipe_they_belong_to_and_no_other(server: Server) -> None:
    preset = catalog.PRESETS["mnist-fc-vs-cnn"]
    body = {"name": preset.title, "base": dict(preset.base), "grid": {**preset.grid, "epochs": [1, 2]}}
    made = server.call("POST", "/experiments", json=body)
    server.call("POST", f"/experiments/{made['id']}/stop")
    from app.web.api.compare import _published

    class Row:
        def __init__(self, spec: dict[str, Any]) -> None:
            self.spec = spec

    figures = {}
    for run in server.call("GET", "/runs", params={"experiment": made["id"], "limit": 500})["items"]:
        spec = run["spec"]
        figures[(spec["model"]["name"], spec["pixel_order"], spec["epochs"])] = _published(Row(spec))  # type: ignore[arg-type]
    assert figures["fc", "original", 1] == {"test/accuracy": 0.8683, "test/loss": 0.4533}
    assert figures["fc", "shuffled", 1] == {"test/accuracy": 0.8810, "test/loss": 0.4099}
    assert figures["cnn", "original", 1] == figures["fc", "original", 2] == {}


def test_a_run_is_renamed_and_deleted(server: Server) -> None:
    run_id = server.launch(dataset="digits", model="fc", batch_size=5000)
    server.wait_for(run_id, "succeeded")
    name = "<b>Straße</b> 🚀"
    assert server.call("PATCH", f"/runs/{run_id}", json={"name": name})["name"] == name
    with server.api() as client:
        page = client.get(f"{server.url}/runs/{run_id}").text
        assert "&lt;b&gt;Straße&lt;/b&gt; 🚀" in page
        assert "<b>Straße" not in page
        assert client.get(f"/runs/{run_id}/weights").status_code == 200
    server.call("DELETE", f"/runs/{run_id}")
    with server.api() as client:
        for part in ("", "/series", "/log", "/weights"):
            assert client.get(f"/runs/{run_id}{part}").status_code == 404
        assert client.post(f"/runs/{run_id}/restore").json()["name"] == name
        assert client.get(f"/runs/{run_id}/weights").status_code == 200


def test_bulk_actions_do_what_is_possible_and_name_what_is_not(server: Server, experiment: dict[str, Any]) -> None:
    ids = experiment["run_ids"]
    body = {"action": "tag", "run_ids": ids[:2], "add_tags": ["keep", "for the talk"]}
    assert server.call("POST", "/runs/bulk", json=body) == {"run_ids": ids[:2], "refused": []}
    tagged = server.call("GET", "/runs", params={"tag": ["keep", "for the talk"], "order": "asc"})["items"]
    assert [run["id"] for run in tagged] == ids[:2]
    stopped = server.call("POST", "/runs/bulk", json={"action": "stop", "run_ids": [ids[0], 999_999]})
    assert stopped["run_ids"] == []
    assert [one["message"] for one in stopped["refused"]] == [
        f"run {ids[0]} is succeeded: only a run that is queued or at work can be stopped",
        "run 999999 does not exist: GET /api/v1/runs lists what does",
    ]
    server.call("POST", "/runs/bulk", json={"action": "delete", "run_ids": ids[:2]})
    assert server.call("GET", f"/experiments/{experiment['id']}")["run_ids"] == ids[2:]
    server.call("POST", "/runs/bulk", json={"action": "restore", "run_ids": ids[:2]})
    assert server.call("GET", f"/experiments/{experiment['id']}")["run_ids"] == ids


def test_an_experiment_is_renamed_noted_deleted_and_restored(server: Server, experiment: dict[str, Any]) -> None:
    path = f"/experiments/{experiment['id']}"
    changed = server.call("PATCH", path, json={"name": "Five ways", "note": "two lines\nof words"})
    assert (changed["name"], changed["note"]) == ("Five ways", "two lines\nof words")
    server.call("DELETE", path)
    with server.api() as client:
        assert client.get(path).status_code == 404
        assert client.get(f"/runs/{experiment['run_ids'][0]}").status_code == 404
    server.call("POST", f"{path}/restore")
    server.call("PATCH", path, json={"name": experiment["name"]})
    assert server.call("GET", path)["run_ids"] == experiment["run_ids"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tags": ["a,b"]}, "a tag has no comma"),
        ({"tags": ["x" * 41]}, "shorten it to at most 40"),
        ({"tags": [""]}, "empty"),
        ({"tags": ["x"] * 21}, "at most 20"),
        ({"note": "\x00"}, "control characters"),
        ({"note": "x" * 10_001}, "shorten it to at most 10000"),
    ],
    ids=["comma", "long", "empty", "many", "control", "long note"],
)
def test_tags_and_notes_have_limits(
    server: Server, experiment: dict[str, Any], change: dict[str, Any], words: str
) -> None:
    with server.api() as client:
        answer = client.patch(f"/runs/{experiment['run_ids'][0]}", json=change)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


def test_a_log_is_read_on_from_where_it_ended(server: Server, experiment: dict[str, Any]) -> None:
    with server.api() as client:
        path = f"/runs/{experiment['run_ids'][0]}/log"
        whole = client.get(path)
        end = int(whole.headers["runyard-log-end"])
        assert end == len(whole.content)
        part = client.get(path, params={"after": 10})
        assert part.content == whole.content[10:]
        assert client.get(path, params={"after": end}).text == ""
        assert client.get(path, params={"after": end + 5}).headers["runyard-log-end"] == str(end)


def test_a_run_is_relaunched_with_overrides_in_its_experiment(server: Server, experiment: dict[str, Any]) -> None:
    old = server.run(experiment["run_ids"][0])
    made = server.call("POST", f"/runs/{old['id']}/relaunch", json={"overrides": {"optimizer.lr": 0.5, "seed": 9}})
    assert made["experiment_id"] == experiment["id"]
    assert made["spec"] == {**old["spec"], "seed": 9, "optimizer": {**old["spec"]["optimizer"], "lr": 0.5}}
    with server.api() as client:
        answer = client.post(f"/runs/{old['id']}/relaunch", json={"overrides": {"model.n_features": 3}})
    assert answer.status_code == 422
    assert "model.n_features is not a knob of fc" in answer.json()["detail"]
    server.wait_for(made["id"], "succeeded")
    server.call("DELETE", f"/runs/{made['id']}")


@pytest.mark.mend("C5")
def test_the_failed_runs_of_an_experiment_are_launched_again_once(server: Server) -> None:
    base = {"model": {"name": "fc", "n_hidden": 512}, "optimizer": {"momentum": 0.99}, "batch_size": 500}
    body = {"name": "Rates", "base": base, "grid": {"optimizer.lr": [0.001, 100]}}
    made = server.call("POST", "/experiments", json=body)
    good, bad = made["run_ids"]
    server.wait_for(good, "succeeded")
    server.wait_for(bad, "failed")
    assert server.call("GET", f"/experiments/{made['id']}")["to_relaunch"] == 1
    (again,) = server.call("POST", f"/experiments/{made['id']}/relaunch-failed")["run_ids"]
    assert server.call("GET", f"/experiments/{made['id']}")["to_relaunch"] == 0
    assert server.call("POST", f"/experiments/{made['id']}/relaunch-failed")["run_ids"] == []  # pressed twice
    assert server.run(again)["spec"] == server.run(bad)["spec"]
    assert server.wait_for(again, "failed")["cause"] == server.run(bad)["cause"]
    assert server.call("GET", f"/experiments/{made['id']}")["to_relaunch"] == 1  # the new one


def test_example_images_are_the_prepared_ones_in_order_and_shuffled(server: Server) -> None:
    found = server.call("GET", "/datasets/digits/images", params={"count": 3, "permutation_seed": 4})
    original, shuffled = base64.b64decode(found["original"]), base64.b64decode(found["shuffled"])
    assert found["labels"] == ["0", "1", "2"]
    assert len(original) == 3 * 784
    assert original != shuffled
    assert sorted(original[:784]) == sorted(shuffled[:784])


def test_the_catalogue_names_models_data_sets_knobs_and_presets(server: Server) -> None:
    found = server.call("GET", "/catalog")
    sizes = {model["name"]: model["parameters"] for model in found["models"]}
    assert (sizes["fc"]["mnist"], sizes["cnn"]["mnist"]) == (6442, 6422)
    assert (sizes["cifar-net"]["cifar10"], sizes["vgg"]["cifar10"]) == (62_006, 9_231_114)
    assert next(one for one in found["datasets"] if one["name"] == "digits")["on_disk"] is True
    assert {preset["name"] for preset in found["presets"]} >= {"mnist-fc-vs-cnn", "digits-fc-vs-cnn"}
    for preset in found["presets"]:
        body = {"name": preset["title"], "base": preset["base"], "grid": preset["grid"]}
        values = [len(values) for values in preset["grid"].values()]
        assert server.call("POST", "/experiments/plan", json=body)["runs"] == math.prod(values)


def test_the_server_process_holds_no_torch_and_little_memory(server: Server, experiment: dict[str, Any]) -> None:
    assert server.process is not None
    with server.api() as client:
        for path in ("/", f"/compare?experiment={experiment['id']}", "/experiments/new"):
            assert client.get(f"{server.url}{path}").status_code == 200
    server.call("GET", "/series", params={"run": experiment["run_ids"]})
    process = psutil.Process(server.process.pid)
    loaded = {mapped.path for mapped in process.memory_maps()}
    assert not [path for path in loaded if "/torch/" in path or "/sklearn/" in path]
    assert process.memory_info().rss < 200e6


# Events


class Listener:
    """Reads /events in a thread while the block lasts; `events` grows."""

    def __init__(self, server: Server, last_event_id: str | None = None, **params: Any) -> None:
        self.events: list[tuple[str, str, dict[str, Any]]] = []
        self._url, self._params = f"{server.url}/api/v1/events", params
        self._headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> "Listener":
        self._thread.start()
        until(lambda: self.of("counts"), "the counts come at once")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._socket is not None
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _read(self) -> None:
        with (
            contextlib.suppress(httpx.HTTPError),
            httpx.Client(timeout=30) as client,
            client.stream("GET", self._url, params=self._params, headers=self._headers) as answer,
        ):
            self._socket = answer.extensions["network_stream"].get_extra_info("socket")
            event: dict[str, str] = {}
            last = "0"  # of several that came together only the last has a number
            for line in answer.iter_lines():
                if line:
                    key, _, value = line.partition(": ")
                    event[key] = value
                elif "data" in event:
                    last = event.get("id", last)
                    self.events.append((event["event"], last, json.loads(event["data"])))
                    event = {}

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [data for name, _, data in self.events if name == kind]


def test_events_tell_of_every_state_in_order_and_of_deletion(server: Server) -> None:
    with Listener(server) as listener:
        run_id = server.launch(dataset="digits", model="cnn")
        server.wait_for(run_id, "succeeded")

        def mine() -> list[dict[str, Any]]:
            return [event for event in listener.of("run") if event["run"] == run_id]

        until(lambda: any(event["status"] == "succeeded" for event in mine()), "the end is told")
        server.call("DELETE", f"/runs/{run_id}")
        until(lambda: {"run": run_id} in listener.of("deleted"), "the deletion is told")
        statuses = list(dict.fromkeys(event["status"] for event in mine()))
        assert statuses == [one for one in ("queued", "starting", "running", "succeeded") if one in statuses]
        steps = [event["step"] for event in mine()]
        assert steps == sorted(steps)
        assert steps[-1] == 113
        ids = [int(number) for _, number, _ in listener.events]
        assert ids == sorted(ids)


def test_a_listener_that_comes_back_is_told_what_it_missed(server: Server) -> None:
    with Listener(server) as first:
        last = first.events[-1][1]
    run_id = server.launch(dataset="digits", model="fc", batch_size=5000)
    server.wait_for(run_id, "succeeded")
    with Listener(server, last_event_id=last) as second:
        until(lambda: any(event["run"] == run_id for event in second.of("run")), "the missed run is told")


def test_a_narrowed_stream_tells_of_its_runs_only_but_counts_all(server: Server) -> None:
    mine, other = (server.launch(dataset="digits", model="fc", batch_size=5000) for _ in range(2))
    with Listener(server, run=mine, after="0") as listener:
        until(lambda: any(event["status"] == "succeeded" for event in listener.of("run")), "my run is told")
        server.wait_for(other, "succeeded")
        until(lambda: listener.of("counts")[-1]["queued"] == 0, "the counts of all runs")
        assert {event["run"] for event in listener.of("run")} == {mine}


def test_a_series_that_nobody_declared_is_served_and_compared_and_not_judged(quick_server: Server) -> None:
    ids = [quick_server.launch(model="fc", batch_size=2048, seed=seed) for seed in (1, 2)]
    for run in ids:
        quick_server.wait_for(run, "succeeded")
        quick_server.measure_beside(run)
    told = quick_server.run(ids[0])
    assert told["metrics"]["system/x"] == {"title": "system/x", "unit": "", "better": None, "per": "second"}
    assert told["metrics"]["test/accuracy"]["unit"] == "fraction"
    assert (told["summary"]["system/x"]["last"], told["summary"]["system/x"]["best"]) == (41.0, None)
    assert told["summary"]["test/accuracy"]["final"] == told["summary"]["test/accuracy"]["last"]
    found = quick_server.call("GET", "/compare", params={"run": ids, "measure": "system/x"})
    said = "Nothing is judged: whether more or less system/x is better was not said."
    assert found["verdict"]["sentences"][-1] == said
    assert (found["facts"]["contrasts"], "system/x" in found["groups"][0]["metrics"]) == ([], False)
    assert found["groups"][0]["metrics"]["train/gradient_norm"]["best"] is None
    curve = quick_server.call("GET", f"/runs/{ids[0]}/series", params={"name": "odd/NaN", "smoothing": 0.9})
    assert [curve[name] for name in ("min", "mean", "last", "smoothed")] == [[None]] * 4
    exported = quick_server.call("GET", "/export", params={"run": ids[0], "format": "json", "system": True})
    values = {one["metric"]: one["values"] for one in exported["series"]}
    assert (values["system/x"], values["odd/NaN"]) == ([41.0], [None])
