"""Ask until answered, by click: the form asks, the page answers by itself."""

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.serving import Server, until

WAIT = 180_000
FORM = (
    "/experiments/new?name=Rates&model=fc&fc.n_hidden=64&dataset=digits&batch_size=200&epochs=1"
    "&optimizer=sgd&optimizer.lr=0.0001&optimizer.lr=0.2"
)


def test_a_question_is_asked_by_click_and_answers_itself(shared_server: Server, page: Page) -> None:
    page.goto(f"{shared_server.url}{FORM}")
    expect(page.locator("#launch-words")).to_have_text("Launch 2 runs", timeout=WAIT)
    page.get_by_role("button", name="until I know", exact=True).click()
    expect(page.locator("#product")).to_have_text(
        "Does learning rate 0.2 instead of 0.0001 change the test accuracy of the FC net?"
    )
    page.get_by_label("Most seeds").fill("3")
    expect(page.locator("#question .error")).to_contain_text("max_seeds is 3")
    page.get_by_label("Most seeds").fill("6")
    expect(page.locator("#launch-words")).to_have_text("Ask, with 8 runs first")
    expect(page).to_have_url(re.compile(r"ask\.about=optimizer\.lr"))
    page.reload()
    expect(page.locator("#launch-words")).to_have_text("Ask, with 8 runs first", timeout=WAIT)
    expect(page.get_by_label("Most seeds")).to_have_value("6")
    page.locator("#launch").click()

    expect(page).to_have_url(re.compile(r"/compare\?experiment=\d+$"), timeout=WAIT)
    expect(page.locator("#asking-state")).to_have_text("answered", timeout=WAIT)
    expect(page.locator("#answer")).to_contain_text("Yes. Learning rate 0.2 instead of 0.0001 brought the FC net")
    expect(page.locator("#asking-table")).to_contain_text("● settled: a difference")
    expect(page.locator("#sets tbody tr").first).to_contain_text("Succeeded")
    drawn = """() => document.getElementById('sequence').data?.filter((trace) => trace.fill === 'toself').length"""
    until(lambda: page.evaluate(drawn) == 1, "the sequence is drawn with its interval")

    page.get_by_role("button", name="Keep asking").click()
    expect(page.locator("#used")).to_have_text("6 of at most 6 seed pairs", timeout=WAIT)
    expect(page.locator("#answer-why")).to_contain_text("more ran on and count as well", timeout=WAIT)
    expect(page.get_by_role("button", name="Keep asking")).to_be_hidden()


def test_the_best_is_found_by_click(shared_server: Server, page: Page) -> None:
    page.goto(f"{shared_server.url}{FORM.replace('name=Rates', 'name=Best')}&optimizer.lr=0.05")
    expect(page.locator("#launch-words")).to_have_text("Launch 3 runs", timeout=WAIT)
    page.get_by_role("button", name="until the best is found", exact=True).click()
    expect(page.locator("#product")).to_have_text("Which learning rate gives the highest test accuracy?")
    expect(page.locator("#ask-about")).to_be_hidden()
    expect(page.locator("#chosen-by-tests")).to_contain_text("The test images choose the best configuration")
    page.get_by_role("button", name="Hold out 719 training images").click()
    expect(page.locator("#product")).to_have_text("Which learning rate gives the highest validation accuracy?")
    expect(page.locator("#ask-measure option").first).to_have_text("validation accuracy")
    page.get_by_label("Most seeds").fill("3")
    expect(page.locator("#question .error")).to_contain_text("max_seeds is 3")
    page.get_by_label("Most seeds").fill("12")
    page.get_by_label("Most runs").fill("40")
    expect(page.locator("#launch-words")).to_have_text("Ask, with 6 runs first")
    page.reload()
    expect(page.get_by_role("button", name="until the best is found", exact=True)).to_have_attribute(
        "aria-pressed", "true", timeout=WAIT
    )
    expect(page.get_by_label("Most runs")).to_have_value("40")
    expect(page.locator("#launch-words")).to_have_text("Ask, with 6 runs first")
    page.locator("#launch").click()

    expect(page).to_have_url(re.compile(r"/compare\?experiment=\d+$"), timeout=WAIT)
    expect(page.locator("#asked")).to_have_text("Which learning rate gives the highest validation accuracy?")
    expect(page.locator("#asking-state")).to_have_text("answered", timeout=WAIT)
    expect(page.locator("#answer")).to_contain_text("Learning rate 0.2 is the best of 3", timeout=WAIT)
    expect(page.locator("#answer")).to_contain_text("Its test accuracy, which chose nothing")
    expect(page.locator("#measure")).to_have_value("validation/accuracy")
    expect(page.locator("#looking")).to_contain_text("Settled after ")
    first, _, last = (page.locator("#race tbody tr").nth(at) for at in range(3))
    expect(first).to_have_class("out")
    assert first.locator("a.done").count() < last.locator("a.done").count()
    expect(page.get_by_role("button", name="Keep asking")).to_be_hidden()
    page.get_by_role("button", name=re.compile("^Add ")).click()
    expect(page.locator("#asking-state")).to_have_text("asking", timeout=WAIT)
    expect(page.locator("#race tbody tr")).to_have_count(5)
    page.get_by_role("button", name="Stop asking").click()
    expect(page.locator("#asking-state")).to_have_text("stopped")


def test_which_of_two_compared_configurations_is_better_is_asked_by_click(shared_server: Server, page: Page) -> None:
    base = {"dataset": "digits", "batch_size": 200, "epochs": 1}
    grid = {"model": [{"name": "fc", "n_hidden": 64}, "cnn"], "optimizer.lr": [0.0001, 0.2], "seed": [1, 2]}
    made = shared_server.call("POST", "/experiments", json={"name": "Two by two", "base": base, "grid": grid})
    for run in made["run_ids"]:
        shared_server.wait_for(run, "succeeded")
    page.goto(f"{shared_server.url}/compare?experiment={made['id']}")
    page.get_by_role("button", name="Ask which is better").click()
    dialog = page.get_by_role("dialog", name="Which is better?")
    chosen = [dialog.get_by_label(name) for name in ("Is, by its test accuracy,", "better than")]
    means = {one["name"]: one["measured"]["mean"] for one in compared(shared_server, made["id"])["groups"]}
    leading = sorted(means, key=lambda name: -means[name])
    for field, name in zip(chosen, leading, strict=False):
        expect(field.locator("option:checked")).to_have_text(name)
    chosen[0].select_option("FC, learning rate 0.2")
    chosen[1].select_option("CNN, learning rate 0.0001")
    dialog.get_by_label("At most so many seeds of each").fill("two")
    dialog.get_by_role("button", name="Ask").click()
    expect(dialog.get_by_role("alert")).to_contain_text("max_seeds is 'two'")
    dialog.get_by_label("At most so many seeds of each").fill("6")
    dialog.get_by_role("button", name="Ask").click()
    expect(page).not_to_have_url(re.compile(rf"experiment={made['id']}$"), timeout=WAIT)
    expect(page.locator("#asking-state")).to_have_text("answered", timeout=WAIT)
    expect(page.locator("#answer")).to_contain_text("Yes. FC, learning rate 0.2 instead of CNN")
    expect(page.locator("#sets tbody tr").first).to_contain_text("3")  # the first seed that was not seen


def compared(server: Server, experiment: int) -> dict[str, Any]:
    found: dict[str, Any] = server.call("GET", "/compare", params={"experiment": experiment})
    return found


def test_a_range_is_drawn_from_at_random(shared_server: Server, page: Page) -> None:
    form = FORM.replace("&optimizer.lr=0.0001&optimizer.lr=0.2", "&optimizer.lr=0.001..0.1:log")
    page.goto(f"{shared_server.url}{form}")
    expect(page.locator("#launch-words")).to_have_text("Launch 20 runs", timeout=WAIT)
    expect(page.get_by_role("button", name="search", exact=True)).to_have_attribute("aria-pressed", "true")
    page.locator('[data-path="random.count"]').click()
    page.get_by_label("How many", exact=True).fill("3")
    expect(page.locator("#launch-words")).to_have_text("Launch 3 runs")
    expect(page.locator("#script")).to_contain_text('"random": {"count": 3, "ranges": {"optimizer.lr"')
    expect(page).to_have_url(re.compile(r"random\.count=3"))
    page.get_by_label("How many", exact=True).fill("0")
    expect(page.locator(".editor .error")).to_contain_text("random.count is 0")
    page.goto(f"{shared_server.url}{form.replace('0.001..0.1', '0.1..0.001')}")
    expect(page.locator("#wrong .error")).to_contain_text(
        "goes from 0.1 to 0.001: high has to be above low", timeout=WAIT
    )
    page.goto(f"{shared_server.url}{FORM}")
    expect(page.locator("#launch-words")).to_have_text("Launch 2 runs", timeout=WAIT)
    expect(page.locator('[data-path="random.count"]')).to_be_hidden()
