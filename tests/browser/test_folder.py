"""A folder of 5,000 images, some of them bad, from the command line to a trained run, and what its page says."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.acceptance.test_line import raw
from tests.serving import Server, serving, until
from tests.test_commands import runyard
from tests.trainer.test_folder import fill, spoil
from trainer.prepared import Places


@pytest.fixture(scope="module")
def server(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Its directory of data sets holds a folder of pets: 5,000 small photographs, and three files that are none."""
    root = tmp_path_factory.mktemp("folders")
    noise = np.random.default_rng(1).integers(0, 60, (100, 24, 32, 3), np.uint8)
    for at, name in enumerate(("cat", "dog")):
        (root / "datasets" / "pets" / name).mkdir(parents=True)
        for number in range(2500):
            pixels = noise[number % 100] + np.array([190 * (at == 0), 190 * (at == 1), number % 50], np.uint8)
            Image.fromarray(pixels).save(root / "datasets" / "pets" / name / f"{number:05}.png", compress_level=0)
    spoil(root / "datasets" / "pets")
    own = root / "prepared"
    own.mkdir()
    (own / "digits-1").symlink_to(places.folder("digits"))
    with serving(root / "home", own, RUNYARD_DATASETS=str(root / "datasets")) as found:
        yield found


def test_it_is_read_with_a_report_and_trains(server: Server) -> None:
    assert "folder:pets" in runyard(server, "data")
    said = runyard(server, "data", "folder:pets")
    assert "3 files can't be used and are left out" in said
    assert "huge.png (20,000 × 20,000 pixels are too many)" in said
    assert "Without an image, and left out: bird, fish, horse." in said
    run_id = server.launch(dataset="folder:pets", model="cnn", batch_size=100, optimizer={"name": "sgd", "lr": 0.05})
    run = server.wait_for(run_id, "succeeded")
    assert run["steps_total"] == 40
    assert run["summary"]["test/accuracy"]["last"] > 0.95  # red or green
    assert server.call("GET", f"/runs/{run_id}/predictions")["n"] == 1000
    server.restart()
    assert server.call("GET", "/datasets/folder:pets")["train_size"] == 4000
    assert server.run(run_id) == run


def test_one_that_is_too_bad_or_not_there_is_refused(server: Server) -> None:
    few = Path(server.environment["RUNYARD_DATASETS"]) / "few"
    fill(few / "a", (1, 1, 1), 3)
    (few / "b").mkdir()
    (few / "b" / "x.png").write_text("no image")
    assert "1 of 4 files that can't be used" in runyard(server, "data", "folder:few", code=1)
    assert "nothing does not exist: put the images there" in runyard(server, "data", "folder:nothing", code=1)
    with server.api() as client:
        refused = client.post("/runs", json={"spec": {"dataset": "folder:few"}})
        assert refused.status_code == 422
        assert "was not read yet" in refused.json()["detail"]
        assert client.get("/datasets/folder:..%2Fhome/state").status_code == 404


def test_its_page_reads_it_and_shows_what_was_left_out(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/data")
    row = page.get_by_role("row", name="pets")
    row.get_by_label("Side of the images of pets").select_option("64")
    row.get_by_label("Colour of the images of pets").select_option("grey")
    row.get_by_role("button", name="Read it").click()
    expect(page).to_have_url(f"{server.url}/data/folder:pets@64-grey@1", timeout=60_000)
    expect(page.locator("#notes")).to_contain_text("text.png (no PNG")
    expect(page.locator("#samples tbody tr")).to_have_count(2)
    expect(page.locator(".figures")).to_contain_text("64 × 64 × 1")
    # a model that can't take such images says so in the form
    for name in ("a", "b"):
        fill(Path(server.environment["RUNYARD_DATASETS"]) / "large" / name, (9, 9, 9), 5)
    assert "is ready" in runyard(server, "data", "folder:large@224")
    shown = server.call("GET", "/datasets/folder:large@224/images")  # of two test images, where eight are asked for
    assert sorted(shown["labels"]) == ["a", "b"]
    page.goto(f"{server.url}/experiments/new?dataset=folder:large%40224&model=cnn")
    expect(page.get_by_text("can't take folder:large@224@1").first).to_be_visible()


def test_a_killed_worker_goes_on_to_the_same_bits_with_batch_norm_adam_and_augmentation(
    server: Server, page: Page
) -> None:
    for name, colour in (("a", (200, 40, 0)), ("b", (0, 40, 200))):
        fill(Path(server.environment["RUNYARD_DATASETS"]) / "tiny" / name, colour, 30)
    runyard(server, "data", "folder:tiny")
    recipe: dict[str, Any] = {
        "dataset": "folder:tiny",
        "model": "vgg",
        "epochs": 3,
        "batch_size": 16,
        "optimizer": "adam",
        "crop_padding": 4,
        "flip": "horizontal",
        "cutout": 8,
        "schedule": "cosine",
        "keep": "best",
    }
    whole = server.launch(**recipe)
    server.wait_for(whole, "succeeded")
    killed = server.launch(**recipe)

    def kept() -> bool:
        run = server.run(killed)
        assert run["status"] in ("queued", "starting", "running"), run["status"]
        return run["checkpoint_step"] is not None and run["steps_done"] > run["checkpoint_step"]

    until(kept, "a checkpoint is kept and training has gone on from it")
    server.workers()[killed].kill()
    until(lambda: server.run(killed)["status"] == "succeeded", "it has gone on to its end")
    run = server.run(killed)
    assert len(run["attempts"]) == 2
    assert run["attempts"][1]["from_step"] > 0
    for metric in ("train/loss", "test/loss", "test/accuracy"):
        assert raw(server, killed, metric) == raw(server, whole, metric)
    with server.api() as client:
        said = [client.get(f"/runs/{one}/predictions", params={"raw": True}).text for one in (whole, killed)]
    assert said[0] == said[1]
    page.goto(f"{server.url}/runs/{killed}")
    expect(page.locator("#config")).to_contain_text("vgg11")
    expect(page.locator("#config")).not_to_contain_text("NaN")


def test_a_folder_that_changed_is_said_to_have_and_read_again(server: Server, page: Page) -> None:
    place = Path(server.environment["RUNYARD_DATASETS"]) / "my pets"
    for name in ("a", "b"):
        fill(place / name, (9, 99, 200), 10)
    assert "folder:my pets@1 is ready, as it was 20" in runyard(server, "data", "folder:my pets")
    old = server.launch(dataset="folder:my pets", model="fc", batch_size=4)
    assert server.run(old)["spec"]["dataset"] == "folder:my pets@1"
    assert server.call("GET", "/datasets/folder:my pets/state")["source"] == "as read"
    fill(place / "a", (9, 99, 200), 15)
    until(lambda: server.call("GET", "/datasets/folder:my pets/state")["source"] == "changed", "it is noticed")
    way = "the folder has changed since: runyard data 'folder:my pets' --again reads it as a new version"
    assert way in runyard(server, "data")
    page.goto(f"{server.url}/data/folder:my pets")
    expect(page.locator("#where")).to_contain_text("The folder has changed since.")
    page.get_by_role("button", name="Read it again").click()
    expect(page).to_have_url(f"{server.url}/data/folder:my%20pets@2", timeout=60_000)
    expect(page.locator("h1")).to_contain_text("my pets, version 2")
    new = server.launch(dataset="folder:my pets", model="fc", batch_size=4)
    both = [server.wait_for(run, "succeeded")["spec"]["dataset"] for run in (old, new)]
    assert both == ["folder:my pets@1", "folder:my pets@2"]
    assert len(server.call("GET", "/compare", params={"run": [old, new]})["groups"]) == 2, "two data sets"
    page.get_by_role("link", name="Train on my pets, version 2").click()
    expect(page.locator("#form")).to_contain_text("my pets, version 2")
    assert "folder:my pets@3 is ready" in runyard(server, "data", "folder:my pets", "--again")
    shutil.rmtree(place)
    until(lambda: server.call("GET", "/datasets/folder:my pets/state")["source"] == "gone", "it is noticed")
    page.goto(f"{server.url}/data/folder:my pets@1")
    expect(page.locator("#where")).to_contain_text("The folder is gone; what was read of it is kept.")
    assert "does not exist: put the images there" in runyard(server, "data", "folder:my pets", "--again", code=1)
