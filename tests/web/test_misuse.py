"""REST as people use it: what is meant is understood, what is misspelt is refused with the way out; never a 500."""

import json
from typing import Any

import numpy as np
import pytest

from app.client import Client, Invalid, RunyardError
from tests.serving import Server
from tests.test_commands import runyard

SHORT = {"model": "fc", "dataset": "digits", "batch_size": 500}


@pytest.fixture(scope="module")
def server(shared_server: Server) -> Server:
    """With a run that has succeeded."""
    shared_server.wait_for(shared_server.launch(**SHORT, optimizer={"lr": 0.125}), "succeeded")
    return shared_server


@pytest.mark.parametrize(
    ("spec", "path", "value"),
    [
        ({"optimizer.lr": 0.1}, ("optimizer", "lr"), 0.1),
        ({"optimizer": {"lr": 0.1}}, ("optimizer", "lr"), 0.1),
        ({"optimizer": "adam", "optimizer.lr": 0.1}, ("optimizer", "name"), "adam"),
        ({"model": "fc", "model.n_hidden": 9}, ("model", "n_hidden"), 9),
        ({"model": {"name": "fc", "n_hidden": 9}}, ("model", "n_hidden"), 9),
    ],
)
def test_a_base_is_nested_or_dotted_everywhere(server: Server, spec: dict[str, Any], path: Any, value: object) -> None:
    planned = server.call("POST", "/experiments/plan", json={"name": "x", "base": spec})
    head, knob = path
    assert planned["configurations"][0]["spec"][head][knob] == value
    run = server.call("POST", "/runs", json={"spec": {**SHORT, **spec}})
    assert run["spec"][head][knob] == value
    server.call("POST", f"/runs/{run['id']}/stop")


def test_optimisers_with_knobs_of_their_own_make_a_grid(server: Server) -> None:
    each = [{"name": "sgd", "lr": 0.1, "momentum": 0.9}, {"name": "adam", "lr": 0.001}]
    planned = server.call("POST", "/experiments/plan", json={"name": "x", "base": SHORT, "grid": {"optimizer": each}})
    found = [one["spec"]["optimizer"] for one in planned["configurations"]]
    assert [(one["name"], one["lr"]) for one in found] == [("sgd", 0.1), ("adam", 0.001)]


def test_optimisers_with_knobs_of_their_own_are_launched_from_the_command_line(server: Server) -> None:
    words = ["model=fc", "dataset=digits", "optimizer=sgd:lr=0.1:momentum=0.9,adam:lr=0.001"]
    planned = json.loads(runyard(server, "launch", *words, "--plan", "--json"))
    found = [one["spec"]["optimizer"] for one in planned["configurations"]]
    assert [(one["name"], one["lr"]) for one in found] == [("sgd", 0.1), ("adam", 0.001)]
    assert "write knobs of its own as optimizer=sgd:KNOB=VALUE" in runyard(server, "launch", "optimizer=sgd:lr", code=1)


def test_values_of_numpy_are_numbers(server: Server) -> None:
    with Client(server.url) as client:
        rates = np.logspace(-3, -1, 3)
        planned = client.plan("x", {"epochs": np.int64(2)}, {"optimizer.lr": rates, "seed": np.arange(1, 3)})
        assert planned["runs"] == 6
        assert planned["configurations"][0]["spec"]["epochs"] == 2
        with pytest.raises(RunyardError, match=r"base\.optimizer\.lr is nan: give a finite number"):
            client.plan("x", {"optimizer": {"lr": float("nan")}}, {})
        with pytest.raises(RunyardError, match="it is not UTF-8"):
            client.plan("\udcff", {}, {})
        with pytest.raises(Invalid, match="name"):
            client.plan("", {}, {})


DIGITS = "1" + "0" * 400


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("POST", "/runs", f'{{"spec": {{"epochs": {DIGITS}}}}}', "epochs is 1000"),
        ("POST", "/runs", f'{{"spec": {{"optimizer": {{"lr": {DIGITS}}}}}}}', "optimizer.lr is 1000"),
        ("POST", "/runs", f'{{"spec": {{"epochs": {DIGITS * 20}}}}}', ""),
        ("POST", "/runs", '{"spec": {"seed": 1e400}}', "seed is inf"),
        ("POST", "/runs", '{"spec": {"\\ud800": 1}}', ""),
        ("POST", "/runs", '{"spec": {"precision": "float16"}}', "the CPU has float32 and bfloat16"),
        ("POST", "/experiments", '{"name": "\\ud800"}', "name is"),
        ("POST", "/experiments", '{"base": {}}', "name is missing: give it a value"),
        ("POST", "/experiments/plan", '{"name": "x", "base": {"lr": 1}}', "do you mean optimizer.lr?"),
        ("POST", "/experiments/plan", '{"name": "x", "grid": {"lr": [1]}}', "do you mean grid.optimizer.lr?"),
        ("POST", "/experiments/plan", '{"name": "x", "base": {"epoch": 1}}', "do you mean epochs?"),
        ("POST", "/experiments/plan", '{"name": "x", "grid": {"n_hiden": [1]}}', "do you mean grid.model.n_hidden?"),
        ("POST", "/experiments/plan", '{"name": "x", "grid": {"seed": 1}}', 'give a list of values: {"grid"'),
        (
            *("POST", "/experiments/plan", '{"name": "x", "grid": {"optimizer": {"lr": [1]}}}'),
            'knobs of it go by path: {"grid": {"optimizer.lr": [...]}}',
        ),
        ("POST", "/experiments/plan", '{"name": "x", "grid": {"\\ud800": [1]}}', "is not a knob"),
        ("POST", "/experiments/plan", f'{{"name": "x", "grid": {{"seed": [{DIGITS}]}}}}', "seed is 1000"),
        ("POST", "/experiments/plan", '{"name": "x", "base": {"precision": "float16"}}', "the CPU has float32"),
        ("PATCH", "/runs/1", '{"note": "\\ud800"}', "note is"),
        ("GET", "/runs?limt=3", "", "'limt' is no parameter of /api/v1/runs; choose status or experiment"),
        ("GET", "/system?x=1", "", "choose none: it takes no parameters"),
        ("GET", "/runs?cursor=WyJjcmVhdGVkIl0", "", "cursor is not one of ours"),
        ("GET", "/runs?cursor=W10=", "", "cursor is not one of ours"),
        ("GET", f"/runs?cursor={'9' * 99}", "", "cursor is not one of ours"),
        ("GET", "/experiments?cursor=-1", "", "cursor is not one of ours"),
        ("GET", "/runs?sort=nosuch", "", "sort is 'nosuch': choose"),
        ("GET", "/runs?sort=-created&order=asc", "", "give one of them"),
        ("GET", "/runs/1/series?name=nope", "", "there is no such series here; choose early/accuracy or test"),
        ("GET", "/runs/1/series?name=nope&raw=true", "", "there is no such series here"),
        ("GET", "/series?run=1&name=train/los", "", "there is no such series here"),
        ("GET", "/models/fc/layers?knob=name%3Dvgg", "", "'name' is no knob of fc; choose n_hidden"),
        ("GET", "/models/fc/layers?knob=nosuch%3D1", "", "'nosuch' is no knob of fc"),
        ("GET", "/runs?q=lr%3E", "", "a value is missing behind it"),
        ("GET", "/runs?q=a%3E%3Eb", "", "q has"),
        ("GET", "/runs?q=model:nosuch", "", "'nosuch' is no model; choose"),
        ("GET", "/runs?q=status:runing", "", "'runing' is no status; choose"),
        ("GET", "/datasets/digits/state?again=1", "", "is no parameter of"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_the_way_out(
    server: Server, method: str, path: str, body: str, words: str
) -> None:
    with server.api() as client:
        answer = client.request(method, path, content=body or None, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), (answer.status_code, answer.text)
    assert words in answer.json()["detail"]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("lr=0.125", True),
        ("lr = 0.125", True),
        ("optimizer.lr = 0.125", True),
        ("lr>0.2", False),
        ("lr >= 0.125 model:FC", True),
        ("Model:fc lr=0.125", True),
        ("model: fc lr=0.125", True),
        ("accuracy > 0 lr=0.125", True),
        ("accuracy > 0% lr=0.125", True),
        ("test/accuracy > 94% lr=0.125", False),
        ("accuracy.best <= 100% lr=0.125", True),
        ("status:Succeeded lr=0.125", True),
        ("dataset:DIGITS lr=0.125", True),
        ("optimizer:SGD lr=0.125", True),
        ("pixel_order:Original lr=0.125", True),
        ("-model:FC lr=0.125", False),
    ],
)
def test_a_search_is_understood_as_people_write_it(server: Server, q: str, found: bool) -> None:
    with server.api() as client:
        answer = client.get("/runs", params={"q": q})
    assert answer.status_code == 200, answer.text
    assert bool([run for run in answer.json()["items"] if run["spec"]["optimizer"]["lr"] == 0.125]) == found


def test_a_list_is_sorted_as_client_and_command_line_have_it(server: Server) -> None:
    def order(**params: str) -> list[int]:
        return [run["id"] for run in server.call("GET", "/runs", params=params)["items"]]

    for seed in (41, 42):
        server.wait_for(server.launch(dataset="digits", model="fc", batch_size=900, seed=seed), "succeeded")
    assert order(sort="-created") == order(sort="created", order="desc") == order()
    assert order(sort="-test/accuracy.best") == order(sort="test/accuracy.best", order="desc")
    first = server.call("GET", "/runs", params={"sort": "-created", "limit": 1})
    second = server.call("GET", "/runs", params={"sort": "-created", "limit": 1, "cursor": first["next"]})
    assert second["items"][0]["id"] < first["items"][0]["id"]
