"""What can be trained, described over HTTP: data sets with their images and figures, models layer by layer."""

import base64
from typing import Any

import numpy as np
import pytest

from tests.serving import Server, until
from trainer import catalog
from trainer.prepared import Places, open_arrays


def described(server: Server, name: str) -> dict[str, Any]:
    found: dict[str, Any] = until(
        lambda: one if (one := server.call("GET", f"/datasets/{name}"))["prepared"] else None, f"{name} is prepared"
    )
    return found


def test_a_data_set_is_described_by_its_own_arrays(server: Server, places: Places) -> None:
    found = described(server, "digits")
    images, labels, _, test_labels = open_arrays("digits", places)
    assert [one["train"] for one in found["classes"]] == np.bincount(labels).tolist()
    assert sum(one["test"] for one in found["classes"]) == len(test_labels)
    (grey,) = found["channels"]
    assert grey["mean"] == pytest.approx(images.mean() / 255, abs=1e-9)
    assert grey["std"] == pytest.approx(images.std() / 255, abs=1e-9)
    assert sum(grey["histogram"]) == images.size


def test_samples_are_training_images_of_their_class_and_another_seed_draws_others(
    server: Server, places: Places
) -> None:
    described(server, "digits")
    images, labels, _, _ = open_arrays("digits", places)
    found = server.call("GET", "/datasets/digits/samples", params={"first": 3, "classes": 2, "count": 4})
    assert found["classes"] == ["3", "4"]
    threes = np.frombuffer(base64.b64decode(found["images"][0]), np.uint8).reshape(4, 1, 28, 28)
    assert np.array_equal(threes, images[labels == 3][:4])
    other = server.call("GET", "/datasets/digits/samples", params={"first": 3, "classes": 2, "count": 4, "seed": 1})
    assert other["images"] != found["images"]


def test_a_data_set_that_cannot_be_had_says_what_to_do(server: Server, places: Places) -> None:
    absent = next((name for name in catalog.DATASETS if not places.is_on_disk(name)), None)
    if absent is None:
        pytest.skip("every data set is on disk here: there is none that would have to be downloaded")
    server.call("POST", f"/datasets/{absent}/prepare")
    error = until(lambda: server.call("GET", f"/datasets/{absent}")["error"], "the download has failed")
    assert "could not be downloaded" in error
    assert "put " in error


def test_layers_come_from_a_real_trace(server: Server) -> None:
    found = server.call("GET", "/models/cnn/layers", params={"dataset": "mnist"})
    assert found["parameters"] == 6422 == sum(layer["parameters"] for layer in found["layers"])
    assert found["multiply_adds"] == 24**2 * 25 * 6 + 8**2 * 25 * 6 * 6 + 96 * 50 + 50 * 10
    assert found["layers"][-1]["output"] == [10]
    (kept,) = (server.home / "layers").glob("cnn-*.json")  # the next answer comes from there, unless it is damaged
    kept.write_text("{")
    assert server.call("GET", "/models/cnn/layers", params={"dataset": "mnist"}) == found


def test_a_knob_changes_the_layers_and_a_wrong_one_is_refused(server: Server) -> None:
    wide = server.call("GET", "/models/fc/layers", params={"dataset": "mnist", "knob": "n_hidden=16"})
    assert wide["layers"][1]["title"] == "linear, 784 → 16"
    assert wide["multiply_adds"] == 784 * 16 + 16 * 16 + 16 * 10
    with server.api() as client:
        for knob in ("n_hidden=0", "n_hidden=many", "depth=3", "n_hidden"):
            answer = client.get("/models/fc/layers", params={"dataset": "mnist", "knob": knob})
            assert answer.status_code == 422, knob
            assert knob.partition("=")[0] in answer.json()["detail"]


def test_filters_of_a_finished_run_are_its_weights_in_the_order_of_the_original_pixels(server: Server) -> None:
    import io

    import torch

    from trainer.permutation import permutation

    run_id = server.launch(model="fc", pixel_order="shuffled", permutation_seed=3)
    server.wait_for(run_id, "succeeded")
    found = server.call("GET", f"/runs/{run_id}/filters")
    filters = np.frombuffer(base64.b64decode(found["weights"]), "<f4").reshape(found["shape"])
    with server.api() as client:
        weights = torch.load(io.BytesIO(client.get(f"/runs/{run_id}/weights").content), weights_only=True)
    first = next(iter(weights.values())).numpy()
    seen = filters.reshape(8, 784)[:, permutation(3, 784)]
    assert sorted(map(tuple, seen.tolist())) == sorted(map(tuple, first.tolist()))
