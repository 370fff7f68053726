"""The example plug-in, installed by pip into a folder of its own; broken ones beside it."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.test_line import raw
from tests.serving import ROOT, Server, serving, until
from trainer.prepared import Places

BROKEN = {
    "raises": ('raise RuntimeError("no such thing")', "RuntimeError: no such thing"),
    "leaves": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "taken": (
        "from trainer.models.fc import MODEL as ENTRY",
        "its name is 'fc': there is such a one already",
    ),
    "other": ("ENTRY = 7", "it is a int: make it a trainer.entries.Model"),
}
TIRED = """
import dataclasses
from trainer.models.fc import MODEL

def build(shape, classes, n_hidden):
    net, steps = MODEL.build(shape, classes, n_hidden=n_hidden), []

    def count(net, images):
        steps.extend([1] * net.training)
        if len(steps) > 40:
            raise ValueError("too tired\\nto go on")

    net.register_forward_pre_hook(count)
    return net

ENTRY = dataclasses.replace(MODEL, name="tired", build=build)
"""
"""A net that fails after 40 steps."""
SLOW = """
import dataclasses, pathlib, time
from trainer.models.fc import MODEL

def build(shape, classes, n_hidden):
    net, steps = MODEL.build(shape, classes, n_hidden=n_hidden), []

    def wait(net, images):
        steps.append(1)
        seconds, begun = {1: 7, 4: 12}.get(len(steps)), pathlib.Path(__file__).with_name(f"step-{len(steps)}")
        if seconds and not begun.exists():
            begun.touch()
            time.sleep(seconds)

    net.register_forward_pre_hook(wait)
    return net

ENTRY = dataclasses.replace(MODEL, name="slow", build=build)
"""
"""A net of which two steps take long: the first that it ever makes, and a fourth."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment's packages: the example, and four broken plug-ins."""
    root = tmp_path_factory.mktemp("plugins")
    site = root / "site"
    copy = root / "example"
    copy.mkdir()
    for name in ("pyproject.toml", "runyard_example.py"):
        (copy / name).write_text((ROOT / "docs/example-plugin" / name).read_text())
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target", str(site)]
    subprocess.run([*command, str(copy)], check=True, capture_output=True)
    for name, code in {"tired": TIRED, "slow": SLOW, **{name: code for name, (code, _) in BROKEN.items()}}.items():
        (site / f"broken_{name}.py").write_text(code)
        info = site / f"broken_{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: broken-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[runyard.models]\n{name} = broken_{name}:ENTRY\n")
    return site


@pytest.fixture
def server(places: Places, site: Path, tmp_path: Path) -> Iterator[Server]:
    own = tmp_path / "prepared"
    own.mkdir()
    (own / "digits-1").symlink_to(places.folder("digits"))
    with serving(tmp_path / "home", own, PYTHONPATH=str(site)) as found:
        yield found


def test_the_example_trains_and_predicts_like_what_comes_with_runyard(server: Server) -> None:
    catalog = server.call("GET", "/catalog")
    linear = next(one for one in catalog["models"] if one["name"] == "linear")
    assert linear["parameters"]["digits"] == 7850
    assert "stripes" in [one["name"] for one in catalog["datasets"]]
    run_id = server.launch(model="linear", dataset="stripes")
    server.wait_for(run_id, "succeeded")
    assert server.call("GET", f"/runs/{run_id}/predictions")["classes"][1]["name"] == "standing"
    assert server.call("GET", "/models/linear/layers", params={"dataset": "stripes"})["parameters"] == 1570
    other = server.launch(model="cnn", dataset="stripes", epochs=3, optimizer={"name": "sgd", "lr": 0.05})
    run = server.wait_for(other, "succeeded")
    assert (
        run["summary"]["test/accuracy"]["last"] > 0.9
    )  # stripes lie at four places: no linear net can tell them apart


def test_broken_ones_are_told_of_and_harm_nothing(server: Server) -> None:
    told = {one["name"]: one for one in server.call("GET", "/system")["plugins"]}
    assert (told["linear"]["error"], told["linear"]["warning"], told["linear"]["version"]) == (None, None, "1.0")
    assert told["stripes"]["kind"] == "data set"
    for name, (_, words) in BROKEN.items():
        assert words in told[name]["error"]
        assert told[name]["package"] == f"broken-{name}"
    assert server.call("GET", "/catalog")["models"][0]["name"] == "fc"


@pytest.mark.mend("B8")
def test_what_was_measured_before_a_net_failed_is_kept(server: Server) -> None:
    run_id = server.launch(model="tired", dataset="digits", batch_size=20)
    run = server.wait_for(run_id, "failed")
    assert run["cause"] == "ValueError: too tired to go on"
    assert [step for step, _ in raw(server, run_id)] == list(range(1, 41))


@pytest.mark.mend("B8")
def test_a_step_that_takes_long_is_waited_for(server: Server, site: Path) -> None:
    """It is not shown as not responding, and a pause within it keeps its checkpoint."""
    run_id = server.launch(model="slow", dataset="digits", batch_size=20)
    for of_attempt, step in ((1, 1), (4, 5)):
        until((site / f"step-{of_attempt}").exists, f"step {step} has begun")
        server.call("POST", f"/runs/{run_id}/pause")
        seen = set()

        def is_paused(seen: set[bool] = seen) -> bool:
            run = server.run(run_id)
            seen.add(run["responding"])
            return bool(run["status"] == "paused")

        until(is_paused, "it is paused")
        run = server.run(run_id)
        assert seen == {True}
        assert (run["cause"], run["steps_done"], run["checkpoint_step"]) == ("paused by user", step, step)
        if step == 1:
            server.call("POST", f"/runs/{run_id}/resume")


def test_what_was_trained_with_a_plug_in_stays_when_that_is_gone(server: Server, site: Path) -> None:
    base = {"dataset": "stripes", "epochs": 2}
    grid = {"model": ["linear", "cnn"], "seed": [1, 2]}
    experiment = server.call("POST", "/experiments", json={"name": "stripes", "base": base, "grid": grid})
    first, *others = experiment["run_ids"]
    for run in experiment["run_ids"]:
        server.wait_for(run, "succeeded")
    compared = server.call("GET", "/compare", params={"experiment": experiment["id"]})
    question = {"kind": "effect", "knobs": ["pixel_order"], "max_seeds": 9}
    asked = {**base, "model": "linear", "epochs": 500}
    body = {"name": "asked", "base": asked, "grid": {"pixel_order": ["original", "shuffled"]}, "question": question}
    asking = server.call("POST", "/experiments", json=body)
    for run in asking["run_ids"]:
        server.call("POST", f"/runs/{run}/pause")
        server.wait_for(run, "paused")

    del server.environment["PYTHONPATH"]
    server.restart()
    listed = server.call("GET", "/runs", params={"experiment": experiment["id"], "order": "asc"})["items"]
    assert [one["id"] for one in listed] == [first, *others]
    now = server.call("GET", "/compare", params={"experiment": experiment["id"]})
    assert now["groups"][0]["metrics"] == compared["groups"][0]["metrics"]
    assert [group["name"] for group in now["groups"]] == ["Linear", "CNN"]
    assert now["groups"][0]["images"] == 2 * 32 * 64  # the last batch of 16 counts as a whole one
    with server.api() as client:
        told = client.get(f"/runs/{first}/predictions")
        assert told.status_code == 404
        assert "tested on stripes, which is not there any more: install its package" in told.json()["detail"]
        assert len(client.get(f"/runs/{first}/predictions", params={"raw": True}).text.splitlines()) == 401
        assert len(client.get("/runs", params={"dataset": "stripes"}).json()["items"]) == 12
        assert client.get("/runs", params={"dataset": "dots"}).status_code == 422
        again = client.post(f"/runs/{first}/relaunch", json={})
        assert again.status_code == 422
        assert "model is 'linear': there is no such model" in again.json()["detail"]
        pages = [f"/compare?experiment={one['id']}" for one in (experiment, asking)]
        for page in ("/", f"/runs/{first}", f"/runs/{first}/predictions", *pages):
            assert client.get(f"{server.url}{page}").status_code == 200, page
        question = client.get(f"/experiments/{asking['id']}/question")
        assert question.status_code == 422
        assert "there is no such model" in question.json()["detail"]
        assert client.get("/experiments").status_code == 200
        for what in ("runs", "series"):
            params = {"experiment": experiment["id"], "what": what}
            assert client.get("/export", params=params).status_code == 200
    server.call("POST", f"/runs/{asking['run_ids'][0]}/resume")
    failed = server.wait_for(asking["run_ids"][0], "failed")
    assert "there is no such model" in failed["cause"]
    server.wait_for(server.launch(model="fc", epochs=1), "succeeded")  # the queue goes on

    server.environment["PYTHONPATH"] = str(site)
    server.restart()
    assert server.call("GET", f"/runs/{first}/predictions")["n"] == 400
    server.call("POST", f"/runs/{asking['run_ids'][0]}/resume")
    server.wait_for(asking["run_ids"][0], "running", "succeeded")


def test_what_a_net_said_of_another_version_of_a_data_set_is_not_mixed_with_it(
    server: Server, site: Path, tmp_path: Path
) -> None:
    run = server.launch(model="fc", dataset="stripes", epochs=1)
    server.wait_for(run, "succeeded")
    newer = shutil.copytree(site, tmp_path / "newer")
    code = (newer / "runyard_example.py").read_text()
    changed = code.replace('"Stripes", 1,', '"Stripes", 2,').replace("np.arange(2400) % 2", "np.arange(2400) // 2 % 2")
    (newer / "runyard_example.py").write_text(changed)
    server.environment["PYTHONPATH"] = str(newer)
    server.restart()
    server.wait_for(server.launch(model="fc", dataset="stripes", epochs=1), "succeeded")
    with server.api() as client:
        for path in (f"/runs/{run}/predictions", f"/predictions/images?run={run}"):
            refused = client.get(path)
            assert refused.status_code == 404
            assert "was tested on other images than stripes has now: relaunch it" in refused.json()["detail"]


def test_the_example_is_thirty_lines() -> None:
    assert len(Path(ROOT / "docs/example-plugin/runyard_example.py").read_text().splitlines()) <= 30
