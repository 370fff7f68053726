"""Every error is a problem document that names field, value and way out; nothing is half made."""

from typing import Any

import httpx
import pytest

from tests.serving import Server

LONG_NAME = "n" * 300


@pytest.fixture(scope="module")
def server(idle_server: Server) -> Server:
    return idle_server


def problem(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert set(found) == {"type", "title", "status", "detail", "errors"}
    assert found["status"] == answer.status_code
    assert found["detail"]
    return found


@pytest.mark.parametrize("path", ["/experiments", "/experiments/plan"])
@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"base": {}}, "name", "name is missing: give it a value"),
        ({"name": LONG_NAME}, "name", "name has 300 characters: shorten it to at most 200"),
        ({"name": "  "}, "name", "name is empty"),
        ({"name": "a\u0000b"}, "name", "control characters"),
        ({"name": 7}, "name", "name is 7"),
        ({"name": "x", "base": {"model": "transformer"}}, "model", "choose fc or cnn"),
        ({"name": "x", "base": {"dataset": "imagenet"}}, "dataset", "choose digits or mnist or fashion-mnist"),
        ({"name": "x", "base": {"learning_rate": 1}}, "learning_rate", "is not a knob"),
        ({"name": "x", "base": {"device": "tpu"}}, "device", "choose auto, cpu, cuda or cuda:N"),
        ({"name": "x", "base": {"epochs": 0}}, "epochs", "epochs is 0: choose a whole number from 1"),
        ({"name": "x", "base": {"batch_size": "many"}}, "batch_size", "batch_size is 'many'"),
        ({"name": "x", "base": {"optimizer": {"lr": None}}}, "optimizer.lr", "optimizer.lr is None"),
        ({"name": "x", "base": []}, "base", "base is []"),
        ({"name": "x", "grid": {"seed": list(range(10_000))}}, "grid", "10,000 runs: choose fewer values, at most 500"),
        (
            {"name": "x", "grid": {"model": ["fc", "cnn"], "model.n_hidden": [1]}},
            "model.n_hidden",
            "is not a knob of cnn",
        ),
        ({"name": "x", "grid": {"seed": 3}}, "grid.seed", "grid.seed is 3"),
        ({"name": "x", "surprise": 1}, "surprise", "surprise is unknown here: leave it out"),
    ],
    ids=lambda value: str(value)[:50] if isinstance(value, dict) else None,
)
def test_a_bad_experiment_is_refused_with_its_field(
    server: Server, path: str, body: dict[str, Any], field: str, words: str
) -> None:
    with server.api() as client:
        before = client.get("/runs").json()
        answer = client.post(path, json=body)
        assert answer.status_code == 422
        found = problem(answer)
        assert [error["field"] for error in found["errors"]] == [field]
        assert words in found["errors"][0]["message"]
        assert client.get("/runs").json() == before


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b'{"name": "x", "base": {"optimizer": {"lr": NaN}}}', 422, "optimizer.lr is nan"),
        (b'{"name": "x", "base": {"optimizer": {"lr": 1e999}}}', 422, "optimizer.lr is inf"),
        (b'{"name": ', 400, "The body is not JSON"),
        (b'{"name": "\xff"}', 400, "can't be read"),
        (b"[]", 422, "send a JSON object"),
        (b"", 422, "missing"),
        (b'{"name": "x", "base": ' + b"[" * 100_000, 400, "The body"),
    ],
    ids=["NaN", "infinite", "cut off", "not UTF-8", "a list", "empty", "nested deeply"],
)
def test_a_body_that_is_not_what_it_should_be(server: Server, content: bytes, status: int, words: str) -> None:
    with server.api() as client:
        answer = client.post("/experiments", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert words in problem(answer)["detail"]


@pytest.mark.parametrize("chunked", [False, True], ids=["stated", "chunked"])
def test_a_body_over_one_mebibyte_is_refused(server: Server, chunked: bool) -> None:
    content = b'{"name": "' + b"x" * 2**20 + b'"}'
    with server.api() as client:
        sent: Any = iter([content[:100], content[100:]]) if chunked else content
        answer = client.post("/experiments", content=sent, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert "over 1,048,576 bytes" in problem(answer)["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/runs/4242", 404, "run 4242 does not exist"),
        ("POST", "/runs/4242/stop", 404, "run 4242 does not exist"),
        ("DELETE", "/runs/4242", 404, "run 4242 does not exist"),
        ("GET", "/runs/4242/log", 404, "run 4242 does not exist"),
        ("GET", "/runs/4242/weights", 404, "run 4242 does not exist"),
        ("GET", "/experiments/4242", 404, "experiment 4242 does not exist"),
        ("POST", "/experiments/4242/stop", 404, "experiment 4242 does not exist"),
        ("GET", "/compare?experiment=4242", 404, "experiment 4242 does not exist"),
        ("GET", "/compare?run=4242", 404, "run 4242 does not exist"),
        ("GET", "/compare", 422, "give one of them"),
        ("GET", "/compare?run=1&experiment=1", 422, "give one of them"),
        ("GET", "/series", 422, "run is missing"),
        ("GET", "/series?run=4242", 404, "run 4242 does not exist"),
        ("GET", "/runs/0", 422, "run_id is '0'"),
        ("GET", "/runs/99999999999999999999", 422, "run_id"),
        ("GET", "/runs/x", 422, "run_id is 'x'"),
        ("GET", "/runs?status=sleeping", 422, "status"),
        ("GET", "/runs?sort=luck", 422, "sort is 'luck'"),
        ("GET", "/runs?limit=0", 422, "limit is '0'"),
        ("GET", "/runs?cursor=nonsense", 422, "cursor is not one of ours"),
        ("GET", "/runs?dataset=imagenet", 422, "there is no such data set"),
        ("GET", "/experiments?cursor=x", 422, "cursor is not one of ours"),
        ("GET", "/datasets/imagenet/images", 404, "there is no such data set"),
        ("GET", "/datasets/..%2f..%2fetc/images", 404, ""),
        ("GET", "/nothing", 404, "/api/v1/nothing does not exist"),
        ("PUT", "/runs", 405, "PUT is not possible on /api/v1/runs"),
    ],
)
def test_an_address_that_leads_nowhere_says_so(server: Server, method: str, path: str, status: int, words: str) -> None:
    with server.api() as client:
        answer = client.request(method, path)
    assert answer.status_code == status
    assert words in problem(answer)["detail"]


def test_a_finished_run_is_not_stopped_and_has_no_second_end(server: Server) -> None:
    run_id = server.launch(dataset="digits", model="fc", batch_size=5000)
    before = server.wait_for(run_id, "succeeded")
    with server.api() as client:
        answer = client.post(f"/runs/{run_id}/stop")
        assert answer.status_code == 409
        assert "is succeeded: only a run that is queued or at work can be stopped" in problem(answer)["detail"]
        for name in (LONG_NAME, "", 7):
            assert client.patch(f"/runs/{run_id}", json={"name": name}).status_code == 422
        series = client.get(f"/runs/{run_id}/series", params={"from": 5, "to": 2})
        assert "to is 2: it comes before from, 5" in problem(series)["detail"]
    assert server.run(run_id) == before
