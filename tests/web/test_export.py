"""Exports hold every point and every knob, in each format the same."""

import csv
import io
import json
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest

from tests.serving import Server


@pytest.fixture(scope="module")
def experiment(shared_server: Server) -> dict[str, Any]:
    body = {"name": "x", "base": {"dataset": "digits", "epochs": 10}, "grid": {"model": ["fc", "cnn"]}}
    made: dict[str, Any] = shared_server.call("POST", "/experiments", json=body)
    for run_id in made["run_ids"]:
        shared_server.wait_for(run_id, "succeeded")
    return made


def export(server: Server, **params: Any) -> bytes:
    with server.api() as client:
        answer = client.get("/export", params=params)
    assert answer.status_code == 200, answer.text
    assert f'.{params.get("format", "csv")}"' in answer.headers["content-disposition"]
    return answer.content


def test_the_series_are_the_same_in_each_format(shared_server: Server, experiment: dict[str, Any]) -> None:
    asked = {"experiment": experiment["id"]}
    rows = list(csv.DictReader(io.StringIO(export(shared_server, **asked).decode())))
    table = pyarrow.parquet.read_table(io.BytesIO(export(shared_server, **asked, format="parquet")))
    whole = json.loads(export(shared_server, **asked, format="json"))
    assert len(rows) == table.num_rows == sum(len(one["steps"]) for one in whole["series"]) > 2 * 1130
    for name, kind in {"run": int, "step": int, "time": float, "value": float}.items():
        assert [kind(row[name]) for row in rows] == table[name].to_pylist()
    assert [row["metric"] for row in rows] == table["metric"].to_pylist()
    assert np.concatenate([one["values"] for one in whole["series"]]).tolist() == table["value"].to_pylist()
    assert [run["id"] for run in whole["runs"]] == experiment["run_ids"]


def test_a_run_is_a_row_with_its_knobs_and_figures(shared_server: Server, experiment: dict[str, Any]) -> None:
    asked = {"run": experiment["run_ids"], "what": "runs"}
    first, second = csv.DictReader(io.StringIO(export(shared_server, **asked).decode()))
    run = shared_server.run(experiment["run_ids"][0])
    assert (first["model"], first["model.n_hidden"], first["model.n_features"]) == ("fc", "8", "")
    assert second["model.n_features"] == "6"
    assert float(first["test/accuracy last"]) == run["summary"]["test/accuracy"]["last"]
    table = pyarrow.parquet.read_table(io.BytesIO(export(shared_server, **asked, format="parquet"))).to_pylist()
    assert table[0]["seconds"] == run["seconds"]
    assert [row["name"] for row in table] == [first["name"], second["name"]]
    assert [one["id"] for one in json.loads(export(shared_server, **asked, format="json"))["runs"]] == asked["run"]


@pytest.mark.parametrize("format", ["csv", "json", "parquet"])
@pytest.mark.parametrize("what", ["series", "runs"])
def test_a_run_that_has_not_begun_is_exported_too(shared_server: Server, what: str, format: str) -> None:
    long = [shared_server.launch(dataset="digits", epochs=500) for _ in range(3)]
    assert export(shared_server, run=long[2], what=what, format=format)
    shared_server.call("POST", "/runs/bulk", json={"action": "stop", "run_ids": long})
    for run_id in long:
        shared_server.wait_for(run_id, "stopped")
