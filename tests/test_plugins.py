"""The example plug-in, installed by pip into a folder of its own; broken ones beside it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import ROOT, Server, serving
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


@pytest.fixture(scope="module")
def server(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Of an environment with the example and with four broken plug-ins."""
    root = tmp_path_factory.mktemp("plugins")
    site = root / "site"
    copy = root / "example"
    copy.mkdir()
    for name in ("pyproject.toml", "runyard_example.py"):
        (copy / name).write_text((ROOT / "docs/example-plugin" / name).read_text())
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target", str(site)]
    subprocess.run([*command, str(copy)], check=True, capture_output=True)
    for name, (code, _) in BROKEN.items():
        (site / f"broken_{name}.py").write_text(code)
        info = site / f"broken_{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: broken-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[runyard.models]\n{name} = broken_{name}:ENTRY\n")
    own = root / "prepared"
    own.mkdir()
    (own / "digits-1").symlink_to(places.folder("digits"))
    with serving(root / "home", own, PYTHONPATH=str(site)) as found:
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


def test_the_example_is_thirty_lines() -> None:
    assert len(Path(ROOT / "docs/example-plugin/runyard_example.py").read_text().splitlines()) <= 30
