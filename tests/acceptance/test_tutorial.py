"""The tutorial's experiments on genuine data: their figures, every batch, the same bits again.

Trainings of minutes, for all cores: `make test ARGS="-m long -n 0"`.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.test_line import raw
from tests.conftest import REAL, needs_cifar10, needs_mnist
from tests.serving import Server, serving
from trainer import catalog
from trainer.prepared import Places

pytestmark = [pytest.mark.long, pytest.mark.timeout(900), needs_mnist]
PRESET = catalog.PRESETS["mnist-fc-vs-cnn"]


@pytest.fixture(scope="module")
def real_server(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("real") / "home"
    with serving(home, places.prepared, RUNYARD_DATASETS=REAL, RUNYARD_CPU_SLOTS="2") as found:
        yield found


@pytest.fixture(scope="module")
def experiment(real_server: Server) -> dict[str, Any]:
    body = {"name": PRESET.title, "base": dict(PRESET.base), "grid": dict(PRESET.grid)}
    made: dict[str, Any] = real_server.call("POST", "/experiments", json=body)
    for run_id in made["run_ids"]:
        real_server.wait_for(run_id, "succeeded")
    return made


def test_shuffling_costs_the_cnn_and_not_the_fc_net(real_server: Server, experiment: dict[str, Any]) -> None:
    compared = real_server.call("GET", "/compare", params={"experiment": experiment["id"]})
    groups = {group["name"]: group for group in compared["groups"]}
    means = {name: group["metrics"]["test/accuracy"]["mean"] for name, group in groups.items()}
    assert [(group["n"], group["parameters"]) for group in groups.values()] == [(5, 6442)] * 2 + [(5, 6422)] * 2
    assert 0.83 <= means["FC, in order"] <= 0.895, means
    assert 0.83 <= means["FC, shuffled"] <= 0.895, means
    assert abs(means["FC, in order"] - means["FC, shuffled"]) <= 0.04, means
    assert means["CNN, in order"] > 0.93, means
    assert means["CNN, shuffled"] <= means["CNN, in order"] - 0.08, means
    published = {name: group["metrics"]["test/accuracy"]["published"] for name, group in groups.items()}
    assert published == {"FC, in order": 0.8683, "FC, shuffled": 0.8810, "CNN, in order": None, "CNN, shuffled": None}


def test_the_verdict_names_the_cnns_loss_and_claims_none_for_the_fc_net(
    real_server: Server, experiment: dict[str, Any]
) -> None:
    compared = real_server.call("GET", "/compare", params={"experiment": experiment["id"]})
    verdict = compared["verdict"]
    cnn, fc = verdict["rows"]
    assert not verdict["watched"], "five seeds were planned, and all are done"
    assert (cnn["name"], fc["name"]) == ("CNN", "FC net")
    assert cnn["difference"]["decision"] == "clear"
    assert cnn["difference"]["high"] < 0
    assert cnn["difference"]["value"] < -0.08
    assert verdict["sentences"][0].startswith("Shuffling the pixels cost the CNN between ")
    assert fc["difference"]["decision"] != "clear"
    assert [one["decision"] == "clear" for one in compared["facts"]["contrasts"]][::4] == [True, True]
    interaction = compared["facts"]["contrasts"][-1]
    assert interaction["kind"] == "interaction"
    assert interaction["high"] < 0, "the CNN loses more by it than the FC net"


def test_every_run_has_every_batch_once(real_server: Server, experiment: dict[str, Any]) -> None:
    for run_id in experiment["run_ids"]:
        assert [step for step, _ in raw(real_server, run_id)] == list(range(1, 939))


@pytest.mark.parametrize("first", [0, 15], ids=["FC, in order", "CNN, shuffled"])
def test_the_same_spec_again_gives_the_same_bits(real_server: Server, experiment: dict[str, Any], first: int) -> None:
    run_id = experiment["run_ids"][first]
    again = real_server.launch(**real_server.run(run_id)["spec"])
    real_server.wait_for(again, "succeeded")
    assert raw(real_server, again) == raw(real_server, run_id)


@needs_cifar10
def test_the_tutorials_cifar_net_learns_photographs(real_server: Server) -> None:
    """One epoch of the preset: 47.4 to 48.1% seen; ten give 62.7% (docs/benchmarks.md)."""
    run_id = real_server.launch(**{**catalog.PRESETS["cifar10-net"].base, "epochs": 1})
    run = real_server.wait_for(run_id, "succeeded")
    assert run["summary"]["test/accuracy"]["last"] > 0.43
    assert run["parameters"] == 62_006


@needs_cifar10
def test_the_tutorials_vgg_learns_photographs(real_server: Server) -> None:
    """One epoch of the preset: 57.4% seen; ten give what docs/benchmarks.md says."""
    run_id = real_server.launch(**{**catalog.PRESETS["cifar10-vgg"].base, "epochs": 1})
    run = real_server.wait_for(run_id, "succeeded", seconds=800)
    assert run["parameters"] == 9_231_114
    assert run["steps_done"] == 391
    assert run["summary"]["test/accuracy"]["last"] > 0.5
