"""The whole line, with real processes: from a body to a curve."""

import csv
import io
from typing import Any

import pytest
import torch

from tests.serving import Server
from trainer import devices, loop
from trainer.loaded import LoadedData
from trainer.prepared import Places, load
from trainer.spec import parse


@pytest.fixture(scope="module")
def server(shared_server: Server) -> Server:
    return shared_server


def raw(server: Server, run: int, name: str = "train/loss") -> list[tuple[int, float]]:
    """Every point of a series: step, value."""
    return [(int(row["step"]), float(row["value"])) for row in rows(server, run, name)]


def rows(server: Server, run: int, name: str) -> list[dict[str, str]]:
    with server.api() as client:
        answer = client.get(f"/runs/{run}/series", params={"name": name, "raw": True})
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_an_experiment_trains_and_its_series_are_what_the_trainer_yields(server: Server, places: Places) -> None:
    body = {
        "name": "four ways",
        "base": {"dataset": "digits", "epochs": 2},
        "grid": {"model": ["fc", "cnn"], "pixel_order": ["original", "shuffled"]},
    }
    made = server.call("POST", "/experiments", json=body)
    assert len(made["run_ids"]) == 4
    for run_id in made["run_ids"]:
        run = server.wait_for(run_id, "succeeded")
        assert (run["steps_done"], run["steps_total"], run["cause"]) == (226, 226, None)
        spec = parse(run["spec"])
        measured = _trained(spec, places)
        for name in ("train/loss", "test/loss", "test/accuracy"):
            assert raw(server, run_id, name) == [(m.step, m.value) for m in measured if m.name == name]
        accuracy = [m for m in measured if m.name == "test/accuracy"]
        assert run["summary"]["test/accuracy"]["last"] == accuracy[-1].value
        assert run["attempts"][0]["environment"]["threads"] == 1


def _trained(spec: Any, places: Places) -> list[loop.Measurement]:
    device = torch.device("cpu")
    devices.make_repeatable(spec)
    data = LoadedData(spec, load(spec.dataset, places), device)
    return [measured for measured in loop.train(spec, data, loop.start(spec, device)) if measured]


def test_the_weights_load_safely_and_give_the_recorded_accuracy(server: Server, places: Places) -> None:
    run_id = server.launch(model="cnn", dataset="digits", pixel_order="shuffled")
    run = server.wait_for(run_id, "succeeded")
    with server.api() as client:
        content = client.get(f"/runs/{run_id}/weights").content
    spec = parse(run["spec"])
    model = loop.build(spec)
    model.load_state_dict(torch.load(io.BytesIO(content), weights_only=True))
    data = LoadedData(spec, load("digits", places), torch.device("cpu"))
    images, labels = data.batch_of("test", slice(None))
    accuracy = float((model(images).argmax(dim=1) == labels).double().mean())
    assert abs(accuracy - run["summary"]["test/accuracy"]["last"]) < 0.002
