"""What finished runs say of the test set, over HTTP, against the real workers' files."""

import base64
import csv
from typing import Any

import numpy as np
import pytest

from app.store import predictions
from tests.serving import Server
from trainer.permutation import permutation
from trainer.prepared import Places, open_arrays


@pytest.fixture(scope="module")
def pair(server: Server) -> tuple[int, int]:
    """A CNN with pixels in order and an FC net on shuffled ones, both done."""
    first = server.launch(model="cnn", optimizer={"name": "sgd", "lr": 0.05}, epochs=2)
    second = server.launch(model="fc", pixel_order="shuffled", permutation_seed=4)
    for run_id in (first, second):
        server.wait_for(run_id, "succeeded")
    return first, second


def test_the_confusion_matrix_holds_every_test_image_and_agrees_with_the_accuracy(
    server: Server, pair: tuple[int, int]
) -> None:
    found = server.call("GET", f"/runs/{pair[0]}/predictions")
    matrix = np.array(found["confusion"])
    assert matrix.sum() == found["n"] == 1800
    accuracy = server.run(pair[0])["summary"]["test/accuracy"]["last"]
    assert np.trace(matrix) / 1800 == accuracy == found["right"] / 1800
    assert found["low"] < accuracy < found["high"]
    assert [one["n"] for one in found["classes"]] == matrix.sum(axis=1).tolist()
    assert [one["right"] for one in found["classes"]] == np.diag(matrix).tolist()
    assert 0.1 < found["confidence"] <= 1


def test_every_answer_comes_as_csv(server: Server, pair: tuple[int, int], places: Places) -> None:
    with server.api() as client:
        text = client.get(f"/runs/{pair[0]}/predictions", params={"raw": True}).text
    rows = list(csv.DictReader(text.splitlines()))
    assert [int(row["label"]) for row in rows] == open_arrays("digits", places)[3].tolist()
    right = sum(row["label"] == row["predicted"] for row in rows)
    assert right == server.call("GET", f"/runs/{pair[0]}/predictions")["right"]


def images(server: Server, **asked: Any) -> dict[str, Any]:
    found: dict[str, Any] = server.call("GET", "/predictions/images", params=asked)
    return found


@pytest.mark.mend("C7")
@pytest.mark.parametrize("beyond", [{"start": 5000}, {"label": 0, "predicted": 0, "right": False}])
def test_where_no_image_fits_there_is_none_and_no_error(
    server: Server, pair: tuple[int, int], beyond: dict[str, Any]
) -> None:
    for run in pair:
        found = images(server, run=run, **beyond)
        assert (found["items"], found["original"], found["seen"]) == ([], "", "")


def test_mistakes_come_most_confident_first_with_their_images(
    server: Server, pair: tuple[int, int], places: Places
) -> None:
    found = images(server, run=pair[0], right=False, count=10)
    assert found["total"] == 1800 - server.call("GET", f"/runs/{pair[0]}/predictions")["right"]
    sure = [item["confidence"][0] for item in found["items"]]
    assert sure == sorted(sure, reverse=True)
    assert all(item["label"] != item["predicted"][0] for item in found["items"])
    pixels = np.frombuffer(base64.b64decode(found["original"]), np.uint8).reshape(-1, *found["shape"])
    originals = open_arrays("digits", places)[2]
    assert np.array_equal(pixels, originals[[item["index"] for item in found["items"]]])
    assert found["seen"] == found["original"]


def test_a_cell_of_the_matrix_and_the_first_images_can_be_asked_for(server: Server, pair: tuple[int, int]) -> None:
    matrix = server.call("GET", f"/runs/{pair[0]}/predictions")["confusion"]
    cell = images(server, run=pair[0], label=8, predicted=1, count=200)
    assert cell["total"] == len(cell["items"]) == matrix[8][1]
    first = images(server, run=pair[0], sort="index", count=8)
    assert [item["index"] for item in first["items"]] == list(range(8))
    rest = images(server, run=pair[0], sort="index", start=5, count=3)
    assert rest["items"] == first["items"][5:]


def test_shuffled_images_are_shown_as_the_net_sees_them(server: Server, pair: tuple[int, int]) -> None:
    found = images(server, run=pair[1], count=3)
    original, seen = (
        np.frombuffer(base64.b64decode(found[key]), np.uint8).reshape(3, 784) for key in ("original", "seen")
    )
    assert np.array_equal(original[:, permutation(4, 784)], seen)


def test_two_runs_are_compared_image_by_image(server: Server, pair: tuple[int, int]) -> None:
    found = server.call("GET", "/compare/predictions", params={"run": pair})
    counts = [found[key] for key in ("both_right", "only_first", "only_second", "both_wrong")]
    assert sum(counts) == found["n"] == 1800
    assert found["both_right"] + found["only_first"] == found["shares"][0]["right"]
    assert found["both_right"] + found["only_second"] == found["shares"][1]["right"]
    assert found["low"] < found["difference"] < found["high"]
    assert found["p"] < 1e-6  # a CNN against a fully connected net after one epoch
    assert sum(one["only_first"] for one in found["classes"]) == found["only_first"]
    only = images(server, run=pair, right=[True, False], count=200)
    assert only["total"] == found["only_first"]
    assert all(item["predicted"][0] == item["label"] != item["predicted"][1] for item in only["items"])
    swapped = server.call("GET", "/compare/predictions", params={"run": pair[::-1]})
    assert (swapped["only_first"], swapped["p"]) == (found["only_second"], found["p"])


def test_what_seeds_and_test_images_add_is_told_where_both_ran_with_several(server: Server) -> None:
    grid = {"model": ["fc", "cnn"], "seed": [11, 12, 13]}
    base = {"dataset": "digits", "batch_size": 200}
    made = server.call("POST", "/experiments", json={"name": "seeds", "base": base, "grid": grid})["run_ids"]
    for run_id in made:
        server.wait_for(run_id, "succeeded")
    found = server.call("GET", "/compare/predictions", params={"run": [made[0], made[3]]})
    over = found["over_seeds"]
    assert over["seeds"] == [11, 12, 13]
    assert 0 < over["by_seeds"] <= over["by_images_too"]
    accuracies = [server.call("GET", f"/runs/{run}")["summary"]["test/accuracy"]["final"] for run in made]
    assert over["difference"] == pytest.approx((sum(accuracies[:3]) - sum(accuracies[3:])) / 3)
    alike = server.call("GET", "/compare/predictions", params={"run": made[:2]})
    assert alike["over_seeds"] is None, "two seeds of one configuration"


def test_a_run_without_predictions_is_refused_with_the_reason(server: Server, pair: tuple[int, int]) -> None:
    stopped = server.launch(epochs=500)
    server.call("POST", f"/runs/{stopped}/stop")
    server.wait_for(stopped, "stopped")
    with server.api() as client:
        answer = client.get(f"/runs/{stopped}/predictions")
        assert (answer.status_code, answer.json()["detail"]) == (
            404,
            f"run {stopped} is stopped: only a run that succeeded has predictions",
        )
        twice = client.get("/compare/predictions", params={"run": [pair[0], pair[0]]})
        assert (twice.status_code, twice.json()["errors"][0]["field"]) == (422, "run")
        uneven = client.get("/predictions/images", params={"run": pair, "right": True})
        assert (uneven.status_code, uneven.json()["errors"][0]["field"]) == (422, "right")


def test_damaged_predictions_are_named_and_nothing_else_breaks(server: Server, pair: tuple[int, int]) -> None:
    path = server.files(pair[1]) / "predictions.npz"
    kept = path.read_bytes()
    try:
        path.write_bytes(kept[: len(kept) // 2])
        with server.api() as client:
            answer = client.get(f"/runs/{pair[1]}/predictions")
        assert answer.status_code == 503
        assert f"predictions.npz of {path.parent.name} can't be read" in answer.json()["detail"]
    finally:
        path.write_bytes(kept)
    assert len(predictions.load(path).labels) == 1800
