"""Everything the browser can do, a script can: the client walks through it against a real server."""

import asyncio
import csv
import inspect
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from app.client import AsyncClient, Client, Conflict, Invalid, NotFound, TimedOut, Unauthorized, Unreachable
from tests.serving import Server, lasting_port, serving
from trainer.prepared import Places

SHORT = {"dataset": "digits", "model": "fc", "batch_size": 500}
LONG = {"dataset": "digits", "model": "cnn", "epochs": 500}


@pytest.fixture(scope="module")
def client(shared_server: Server) -> Iterator[Client]:
    with Client(shared_server.url) as opened:
        yield opened


def test_a_script_asks_until_answered(client: Client) -> None:
    base = {"model": "fc", "dataset": "digits", "batch_size": 200}
    question = {"knobs": ["optimizer.lr"], "measure": "test/loss", "max_seeds": 8}
    asked = client.launch_experiment("asked", base, {"optimizer.lr": [0.0001, 0.2]}, question, smallest=0.001)
    with pytest.raises(TimedOut, match="has no answer after 0 s: Too early to say"):
        client.wait_for_answer(asked.id, timeout=0)
    found = client.wait_for_answer(asked.id)
    assert (found["state"], found["answer"]) == ("answered", "difference")
    assert client.change_question(asked.id, max_seeds=9)["max_seeds"] == 9
    assert client.stop_asking(asked.id)["state"] == "answered"
    assert client.keep_asking(asked.id)["state"] == "asking"
    assert client.stop_asking(asked.id)["state"] == "stopped"
    client.wait(client.experiment(asked.id).run_ids)


def test_a_script_finds_the_best(client: Client) -> None:
    base, rates = {"model": "fc", "dataset": "digits", "batch_size": 200}, [0.0001, 0.05, 0.2]
    question = {"kind": "best", "measure": "test/loss", "max_seeds": 12, "max_runs": 30}
    planned = client.plan("best", base, {"optimizer.lr": rates}, question)
    assert (planned["runs"], planned["most_runs"]) == (6, 30)
    assert planned["question"] == "Which learning rate gives the lowest test loss?"
    made = client.launch_experiment("best", base, {"optimizer.lr": rates}, question, smallest=0.001)
    found = client.wait_for_answer(made.id)
    assert (found["answer"], found["left"]) == ("one", [2])
    assert [cell["decision"] for cell in found["cells"]] == ["ruled out", "ruled out", None]
    assert found["sentences"][0] == "Learning rate 0.2 is the best of 3; the others are ruled out."
    assert found["runs"] <= 30
    compared = client.compare(experiment=made.id)
    assert compared["measure"]["name"] == "test/loss", "that is what it is on"
    assert compared["facts"]["smallest"] == 0.001
    assert found["sentences"][0] in compared["verdict"]["sentences"]
    with pytest.raises(Invalid, match="one configuration is left"):
        client.keep_asking(made.id)
    client.wait(client.experiment(made.id).run_ids)


def test_a_script_confirms_what_a_search_found(client: Client) -> None:
    base = {"model": "fc", "dataset": "digits", "batch_size": 200, "validation": 200}
    drawn = {"count": 3, "ranges": {"optimizer.lr": {"low": 0.02, "high": 0.3, "log": True}}}
    search = client.launch_experiment("drawn", base, {"seed": [7]}, random=drawn)
    with pytest.raises(Invalid, match="has no winner yet: wait until its runs have ended"):
        client.confirm(search.id)
    client.wait(search.run_ids)
    compared = client.compare(experiment=search.id)
    assert compared["measure"]["name"] == "validation/accuracy", "the images held out choose"
    assert compared["verdict"]["has_winner"]
    expected = compared["search"]["expected"]
    assert len(expected) == 3
    assert expected == sorted(expected)
    assert expected[-1] <= max(group["measured"]["mean"] for group in compared["groups"])
    made = client.confirm(search.id, max_seeds=9)
    question = client.question(made.id)
    assert (question["kind"], question["measure"]["name"]) == ("best", "validation/accuracy")
    assert len(question["cells"]) == 3, "the best, the next one and the default rate"
    assert [one["seed"] for one in question["sets"]] == [8, 9]
    client.stop_experiment(made.id)


def test_a_script_asks_which_of_two_runs_is_better(client: Client) -> None:
    runs = [client.launch({**SHORT, "optimizer": {"lr": rate}}) for rate in (0.0001, 0.2)]
    client.wait([run.id for run in runs])
    asked = client.ask_between(*(run.id for run in runs), measure="test/loss", smallest=0.001, name="which")
    found = client.wait_for_answer(asked.id)
    assert (asked.name, found["answer"]) == ("which", "difference")
    assert found["sentences"][0].startswith("Yes. Learning rate 0.2 instead of 0.0001 lowered the test loss")
    client.wait(client.experiment(asked.id).run_ids)


@pytest.mark.mend("B9")
def test_a_script_launches_watches_compares_exports_and_deletes(client: Client, tmp_path: Path) -> None:
    planned = client.plan("x", SHORT, {"seed": [1, 2]})
    assert (planned["runs"], planned["seeds"]) == (2, 2)
    experiment = client.launch_experiment("by script", SHORT, {"seed": [1, 2]})
    last = {run.id: run for run in client.watch(experiment.run_ids)}
    assert {run.status for run in last.values()} == {"succeeded"}
    assert client.wait(experiment.run_ids) == [client.run(run_id) for run_id in experiment.run_ids]
    (group,) = client.compare(experiment=experiment.id)["groups"]
    assert group["n"] == 2
    first = experiment.run_ids[0]
    points = client.points(first)
    assert [point.step for point in points] == list(range(1, 16))
    weights = torch.load(io.BytesIO(client.weights(first)), weights_only=True)
    assert sum(tensor.numel() for tensor in weights.values()) == client.run(first).parameters
    assert "finished after 15 steps" in client.log(first)
    client.export(tmp_path / "all.parquet", experiment=experiment.id)
    assert (tmp_path / "all.parquet").read_bytes().startswith(b"PAR1"), "as its ending says"
    client.export(tmp_path / "all.csv", experiment=experiment.id)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "all.csv").read_text())))
    exported = [float(row["value"]) for row in rows if row["run"] == str(first) and row["metric"] == "train/loss"]
    assert exported == [point.value for point in points]

    assert client.describe(first, name="best", note="keep this", tags=["by a script"]).tags == ["by a script"]
    assert [run.id for run in client.runs(tags=["by a script"])] == [first]
    assert client.describe_experiment(experiment.id, note="of the talk").note == "of the talk"
    assert [run.id for run in client.runs(experiment=experiment.id, sort="created")] == experiment.run_ids
    again = client.relaunch(first, {"seed": 9})
    assert client.wait([again.id])[0].spec["seed"] == 9
    assert client.relaunch_failed(experiment.id) == []

    client.delete(first)
    with pytest.raises(NotFound):
        client.run(first)
    assert client.restore(first).name == "best"
    client.delete_experiment(experiment.id)
    assert experiment.id not in [one.id for one in client.experiments()]
    assert client.restore_experiment(experiment.id).run_ids == [*experiment.run_ids, again.id]
    assert client.bulk("delete", [first, 10_000]).refused[0].run == 10_000


def test_a_script_pauses_resumes_and_stops(client: Client) -> None:
    run = client.launch(LONG, "long one")
    waiting = [client.launch(LONG).id for _ in range(3)]
    assert client.move_first(waiting[2]).status == "queued"
    for seen in client.watch([run.id]):
        if seen.steps_done > 20 and seen.status == "running":
            client.pause(run.id)
            break
    paused = client.wait([run.id])[0]
    assert (paused.status, paused.cause) == ("paused", "paused by user")
    assert client.resume(run.id).status == "queued"
    client.stop(run.id)
    assert client.wait([run.id])[0].status == "stopped"
    client.bulk("stop", waiting)
    assert {run.status for run in client.wait(waiting)} == {"stopped"}


def test_waiting_ends_when_the_time_is_up(client: Client) -> None:
    run = client.launch(LONG)
    with pytest.raises(TimedOut, match=rf"run {run.id} is \w+ after 0.1 s"):
        client.wait([run.id], timeout=0.1)
    client.stop(run.id)
    client.wait([run.id])


def test_errors_have_their_kind_the_servers_words_and_the_fields(client: Client) -> None:
    with pytest.raises(Invalid, match="epochs is 0") as caught:
        client.launch({"epochs": 0})
    assert caught.value.errors[0]["field"] == "epochs"
    done = client.launch(SHORT)
    client.wait([done.id])
    with pytest.raises(Conflict, match=f"run {done.id} is succeeded"):
        client.resume(done.id)
    with Client("http://127.0.0.1:1") as nobody, pytest.raises(Unreachable, match="start one with runyard serve"):
        nobody.system()


def test_a_token_is_sent(places: Places, tmp_path: Path) -> None:
    with serving(tmp_path / "home", places.prepared, RUNYARD_HOST="0.0.0.0", RUNYARD_PRELOAD="0") as shared:
        url = f"http://127.0.0.1:{shared.url.rpartition(':')[2]}"
        token, reader = (line.split()[-1] for line in shared.said[:2])
        with Client(url) as nobody, pytest.raises(Unauthorized, match="needs a token"):
            nobody.system()
        with Client(url, reader) as looking, pytest.raises(Unauthorized, match="read-only"):
            looking.launch(SHORT)
        with Client(url, token) as known:
            assert known.system()["cores"]


def test_the_stream_goes_on_when_the_server_comes_back(places: Places, tmp_path: Path) -> None:
    variables = {"RUNYARD_PORT": str(lasting_port()), "RUNYARD_PRELOAD": "0"}
    with serving(tmp_path / "home", places.prepared, **variables) as own, Client(own.url) as client:
        run = client.launch({**LONG, "epochs": 3})
        seen = []
        for one in client.watch([run.id]):
            seen.append(one)
            if len(seen) == 1:
                own.restart()
        assert seen[-1].status == "succeeded"


def test_the_asynchronous_client_does_the_same(shared_server: Server, tmp_path: Path) -> None:
    async def walk() -> None:
        async with AsyncClient(shared_server.url) as client:
            experiment = await client.launch_experiment("asynchronous", SHORT, {"seed": [1, 2]})
            seen = {run.id: run async for run in client.watch(experiment.run_ids)}
            assert {run.status for run in seen.values()} == {"succeeded"}
            assert len(await client.points(experiment.run_ids[0])) == 15
            await client.export(tmp_path / "x.json", runs=experiment.run_ids, format="json")
            assert [run.id async for run in client.runs(experiment=experiment.id, sort="created")] == experiment.run_ids
            again = await client.relaunch(experiment.run_ids[0])
            assert (await client.wait([again.id]))[0].status == "succeeded"
            await client.delete_experiment(experiment.id)
            with pytest.raises(NotFound):
                await client.experiment(experiment.id)

    with ThreadPoolExecutor(1) as thread:  # the main thread may have Playwright's event loop
        thread.submit(asyncio.run, walk()).result()
    assert (tmp_path / "x.json").stat().st_size > 1000


def test_both_clients_have_the_same_methods() -> None:
    def methods(kind: type) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(member).parameters)
            for name, member in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        }

    assert methods(Client) == methods(AsyncClient)
    assert len(methods(Client)) > 40


def test_methods_describe_themselves() -> None:
    for kind in (Client, AsyncClient):
        assert str(inspect.signature(kind.relaunch_failed)) == "(self, experiment_id: int) -> list[int]"
        assert "failed or was lost" in (inspect.getdoc(kind.relaunch_failed) or "")
    assert inspect.iscoroutinefunction(AsyncClient.stop)
    assert not inspect.iscoroutinefunction(Client.stop)
