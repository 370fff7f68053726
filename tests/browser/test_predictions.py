"""What a net says, and what it was given: predictions, two runs' disagreement, data sets, models."""

from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.conftest import REAL
from tests.serving import Server, serving
from trainer import catalog
from trainer.prepared import Places, open_arrays


@pytest.fixture(scope="module")
def trained(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A CNN with pixels in order (run 1) and shuffled (run 2), both done, and one that goes on (run 3)."""
    home = tmp_path_factory.mktemp("predictions") / "home"
    with serving(home, places.prepared, RUNYARD_DATASETS=REAL, RUNYARD_CPU_SLOTS="3") as server:
        grid = {"pixel_order": ["original", "shuffled"]}
        base = {"model": "cnn", "dataset": "digits", "optimizer": {"name": "sgd", "lr": 0.05}}
        server.call("POST", "/experiments", json={"name": "Two orders", "base": base, "grid": grid})
        for run_id in (1, 2):
            server.wait_for(run_id, "succeeded")
        server.launch(epochs=2000)
        server.wait_for(3, "running", steps=1)
        server.freeze(3)  # it would take half of the processor
        yield server


def test_the_matrix_holds_every_test_image_and_a_cell_and_a_mistake_open(trained: Server, page: Page) -> None:
    page.goto(f"{trained.url}/runs/1")
    page.get_by_role("link", name="Predictions").click()
    cells = page.locator("#matrix td")
    expect(cells).to_have_count(100)
    said = trained.call("GET", "/runs/1/predictions")
    assert sum(int(text.replace(",", "")) for text in cells.all_inner_texts()) == said["n"] == 1800
    expect(page.locator("#f-wrong")).to_have_text(f"{said['n'] - said['right']:,}")

    label, predicted = max(
        ((i, j) for i in range(10) for j in range(10) if i != j), key=lambda at: said["confusion"][at[0]][at[1]]
    )
    page.get_by_role("button", name=f"{label} taken for {predicted}:").click()
    expect(page.get_by_role("heading", name=f"{label} taken for {predicted}")).to_be_visible()
    assert f"cell={label}-{predicted}" in page.url
    tile = page.locator("#cell-images .tile").first
    expect(tile.locator(".verdict.wrong")).to_have_text(str(predicted))
    tile.click()
    opened = page.get_by_role("dialog")
    expect(opened.get_by_role("row", name="True class")).to_contain_text(str(label))
    expect(opened.locator("canvas")).to_have_count(1)
    opened.get_by_role("button", name="Close").click()
    expect(opened).to_have_count(0)

    page.reload()
    expect(page.get_by_role("heading", name=f"{label} taken for {predicted}")).to_be_visible()


def test_shuffled_images_are_shown_both_ways(trained: Server, page: Page) -> None:
    page.goto(f"{trained.url}/runs/2/predictions")
    expect(page.locator("#mistakes .tile").first).to_be_visible()
    pixels = "() => document.querySelector('#mistakes canvas').toDataURL()"
    original = page.evaluate(pixels)
    page.get_by_role("button", name="as seen").click()
    page.wait_for_function("before => document.querySelector('#mistakes canvas').toDataURL() !== before", arg=original)
    page.locator("#mistakes .tile").first.click()
    expect(page.get_by_role("dialog").locator("canvas")).to_have_count(2)


def test_two_runs_are_reached_from_their_comparison_and_their_disagreement_shows(trained: Server, page: Page) -> None:
    page.goto(f"{trained.url}/compare?experiment=1")
    page.get_by_role("link", name="Two runs, image by image").click()
    two = trained.call("GET", "/compare/predictions", params={"run": [1, 2]})
    expect(page.locator("#answer")).to_have_text(two["answer"])
    expect(page.locator("#agree .differs b")).to_have_text([f"{two['only_first']:,}", f"{two['only_second']:,}"])
    expect(page.locator("#only-first .tile").first.locator(".verdict.wrong")).to_have_count(1)
    expect(page.locator("#only-first-note")).to_contain_text(f"{two['only_first']:,} image")
    page.get_by_role("button", name="Swap").click()
    expect(page.locator("#agree .differs b")).to_have_text([f"{two['only_second']:,}", f"{two['only_first']:,}"])
    assert page.url.endswith("?run=2&run=1")


def test_a_run_that_is_not_done_says_when_there_will_be_something(trained: Server, page: Page) -> None:
    page.goto(f"{trained.url}/runs/3/predictions")
    expect(page.locator("#absent")).to_contain_text("at the end of its training")
    page.goto(f"{trained.url}/compare/predictions?run=1&run=3")
    expect(page.locator("#absent")).to_contain_text("only a run that succeeded has predictions")


def test_the_data_page_shows_real_images_by_class_and_both_orders(trained: Server, places: Places, page: Page) -> None:
    name = "cifar10" if places.is_on_disk("cifar10") else "digits"
    page.goto(f"{trained.url}/data")
    page.get_by_role("link", name=catalog.DATASETS[name].title, exact=True).click()
    expect(page.locator("#samples tbody tr")).to_have_count(10, timeout=60_000)
    expect(page.locator("#samples canvas")).to_have_count(80)
    shown = page.evaluate("""() => {
        const { data } = document.querySelector('#samples canvas').getContext('2d').getImageData(0, 0, 64, 64);
        return [...data].filter((_, at) => at % 4 === 0);
    }""")
    images, labels, _, _ = open_arrays(name, places)
    first = images[np.flatnonzero(labels == 0)[0]]
    size = first.shape[1]
    red = np.array(shown).reshape(64, 64)[:size, :size]  # beyond the canvas it is transparent black
    assert np.array_equal(red, first[0])
    before = page.evaluate("() => [...document.querySelectorAll('#orders canvas')].at(-1).toDataURL()")
    page.get_by_label("Permutation seed as a number").fill("9")
    page.wait_for_function(
        "before => [...document.querySelectorAll('#orders canvas')].at(-1).toDataURL() !== before", arg=before
    )
    assert page.url.endswith("?seed=9")


def test_the_model_page_shows_its_layers_and_a_finished_runs_filters(trained: Server, page: Page) -> None:
    page.goto(f"{trained.url}/models")
    page.get_by_role("link", name="CNN", exact=True).click()
    expect(page.locator("#parameters")).to_have_text("6,422", timeout=60_000)
    expect(page.locator("#layers tbody tr")).to_have_count(11)
    expect(page.locator("#filters canvas")).to_have_count(6)
    page.get_by_label("Feature maps").fill("12")
    page.get_by_label("Feature maps").press("Enter")
    expect(page.locator("#layers tbody")).to_contain_text("conv 5 × 5, 1 → 12", timeout=60_000)
    assert "knob=n_features%3D12" in page.url
