"""A person's walk: launch by clicking, watch the curves grow, stop a run, reach the comparison, read the panels."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.words import press, type_into
from tests.conftest import REAL
from tests.serving import Server, serving, until
from trainer.prepared import Places

WAIT = 60_000


@pytest.fixture
def busy_server(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An empty home and two slots, so that two runs can be watched at a time."""
    home = tmp_path_factory.mktemp("walk") / "home"
    with serving(home, places.prepared, RUNYARD_DATASETS=REAL, RUNYARD_CPU_SLOTS="2") as found:
        yield found


def drawn_points(page: Page) -> int:
    """Points in the lines that Plotly has drawn on the compare page (ghosts and bands have no name)."""
    code = (
        "() => (document.getElementById('plot')?.data ?? []).filter((t) => t.name).reduce((n, t) => n + t.x.length, 0)"
    )
    found: int = page.evaluate(code)
    return found


def test_launch_watch_stop_and_compare_without_a_reload(busy_server: Server, page: Page) -> None:
    page.goto(busy_server.url)
    expect(page.get_by_role("heading", name="Train a model several ways")).to_be_visible()
    card = page.locator(".preset", has_text="without a download")
    expect(card.locator("canvas")).to_have_count(10, timeout=WAIT)
    card.get_by_role("link", name="Change first").click()

    # the form: the preset, made long enough to watch
    expect(page.locator("#launch-words")).to_have_text("Launch 20 runs", timeout=WAIT)
    type_into(page, "epochs", "60")
    type_into(page, "seed", "1")
    expect(page.locator("#launch-words")).to_have_text("Launch 4 runs")
    assert "epochs=60" in page.url
    page.evaluate("() => { window.sameDocument = 'before the launch' }")
    page.locator("#launch").click()

    # the comparison, live
    expect(page).to_have_url(re.compile(r"/compare\?experiment=1$"), timeout=WAIT)
    expect(page.locator("#live")).to_have_text("Live")
    page.evaluate("() => { window.sameDocument = 'watched' }")
    expect(page.locator(".panel-title")).to_have_count(4)
    expect(page.locator(".going").first).to_be_visible(timeout=WAIT)
    first = until(lambda: drawn_points(page), "points are drawn")
    until(lambda: drawn_points(page) > first + 20, "the curves grow")
    axes = page.evaluate("""() => Object.entries(document.getElementById('plot').layout)
        .filter(([name]) => /^[xy]axis/.test(name)).map(([, axis]) => axis.matches ?? null)""")
    assert sorted(str(axis) for axis in axes) == ["None", "None", "x", "x", "x", "y", "y", "y"]
    assert page.evaluate("() => window.sameDocument") == "watched"

    # one run: watch its loss, stop it
    page.get_by_role("link", name="Show 4 runs").click()
    row = page.locator("tr.run", has=page.locator("[data-status=running]")).first
    expect(row).to_be_visible(timeout=WAIT)
    steps = row.locator(".p-step")
    before = steps.inner_text()
    until(lambda: steps.inner_text() != before, "the row goes on by itself")
    expect(row.locator("svg.spark path")).to_have_count(1)
    name = row.locator(".run-name").inner_text()
    row.locator(".run-name").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.locator("#status")).to_have_text("Running")
    done = page.locator("#f-steps")
    before = done.inner_text()
    until(lambda: done.inner_text() != before, "the figures go on")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#status")).to_have_text("Stopped")
    expect(page.locator("#caption")).to_contain_text("points")
    run_id = int(page.url.rpartition("/")[2].split("?")[0])
    assert busy_server.run(run_id)["cause"] == "stopped by user"

    # back to the comparison by clicking, and stop what is left
    page.get_by_role("link", name="FC and CNN on Digits, pixel order").click()
    expect(page.locator(".panel-title")).to_have_count(4)
    page.get_by_role("button", name=re.compile(r"^Stop \d runs?$")).click()
    expect(page.locator("#counts")).to_have_text("Nothing running", timeout=WAIT)
    expect(page.locator("#table tbody tr")).to_have_count(4)


@pytest.fixture(scope="module")
def server(quick_server: Server) -> Server:
    """One of its own: the list shows what these tests launch and nothing else."""
    return quick_server


def test_runs_are_selected_filtered_and_compared(server: Server, page: Page) -> None:
    made = server.call(
        "POST",
        "/experiments",
        json={"name": "Few", "base": {"batch_size": 500}, "grid": {"model": ["fc", "cnn"], "seed": [1, 2]}},
    )
    for run_id in made["run_ids"]:
        server.wait_for(run_id, "succeeded")
    page.goto(server.url)
    expect(page.locator("tr.run")).to_have_count(4)
    expect(page.locator("tr.group")).to_contain_text("4 of 4 done")
    page.get_by_label("Search names").fill("cnn")
    expect(page.locator("tr.run")).to_have_count(2)
    assert "q=cnn" in page.url
    page.get_by_label("Search names").fill("nothing like it")
    expect(page.get_by_role("heading", name="No run matches")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator("tr.run")).to_have_count(4)
    page.get_by_role("button", name="Test accuracy").click()
    expect(page.locator("th[aria-sort=descending]")).to_have_text("Test accuracy")
    page.get_by_role("button", name="Started").click()
    for name in ("fc-original-1", "cnn-original-1"):
        page.get_by_label(f"Select {name}").check()
    page.get_by_role("link", name="Compare 2 runs").click()
    expect(page.locator("#answer")).to_contain_text("With this one seed test accuracy is")
    page.get_by_role("button", name="one chart").click()
    assert "view=one" in page.url
    page.get_by_label("What is drawn").select_option("test/accuracy")
    expect(page.locator("#caption")).to_contain_text("every one drawn")
    page.get_by_label("Runs of FC").click()
    expect(page.get_by_role("link", name="seed 1")).to_be_visible()


def test_errors_stand_under_their_field_in_the_words_of_the_api(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/experiments/new")
    expect(page.locator("#launch")).to_be_enabled(timeout=WAIT)
    page.locator("#recipe summary").click()
    editor = press(page, "optimizer.momentum")
    editor.get_by_role("textbox", name="Momentum").fill("1.5")
    message = "optimizer.momentum is 1.5: choose a number from 0 to 0.9999"
    expect(editor.get_by_role("alert")).to_have_text(message)
    expect(page.locator("#wrong .error")).to_have_text(message)
    expect(page.locator('#settings [data-path="optimizer.momentum"]')).to_have_class(re.compile("wrong"))
    expect(page.locator("#launch")).to_be_disabled()
    editor.get_by_role("textbox", name="Momentum").fill("0.9")
    expect(page.locator("#launch")).to_be_enabled()
    page.keyboard.press("Enter")
    expect(editor).to_be_hidden()
    page.locator("#name-line summary").click()
    page.get_by_label("Name", exact=True).fill("<img src=x onerror=alert(1)> 🚀")
    expect(page.locator("#name-words")).to_have_text("<img src=x onerror=alert(1)> 🚀")
    editor = press(page, "epochs")
    editor.get_by_role("textbox", name="Epochs").fill("")
    expect(page.locator("#wrong .error")).to_contain_text("grid.epochs is empty")
    editor.get_by_role("textbox", name="Epochs").fill("2")
    editor = press(page, "model")
    editor.get_by_role("button", name="FC", exact=False).first.click()
    editor = press(page, "model")
    editor.get_by_role("textbox", name="Hidden units").fill("16")
    expect(page.locator("#plan")).to_contain_text("FC, in order")
    expect(page.locator("#sentence")).to_contain_text("hidden units")
    expect(page.locator("#script")).to_contain_text('"n_hidden": 16')


@pytest.mark.mend("C8")
def test_a_failed_run_says_why_first_and_the_way_out_is_the_sentence_mended(server: Server, page: Page) -> None:
    run_id = server.launch(model={"name": "fc", "n_hidden": 512}, optimizer={"lr": 100, "momentum": 0.99})
    server.wait_for(run_id, "failed")
    page.goto(f"{server.url}/runs/{run_id}")
    expect(page.locator("#cause-title")).to_contain_text(re.compile("Loss became (NaN|infinite) at step"))
    expect(page.get_by_role("button", name="Resume")).to_be_hidden()  # it would become NaN again
    page.get_by_role("button", name="Try learning rate 0.1").click()
    dialog = page.get_by_role("dialog", name="Relaunch with a change")
    rate, momentum = (dialog.locator(f'[data-path="optimizer.{knob}"]') for knob in ("lr", "momentum"))
    expect(rate.locator(".was")).to_have_text("100")
    expect(rate.locator(".said")).to_have_text("0.1")
    expect(momentum.locator(".was")).to_have_text("0.99")
    expect(dialog.locator(".says")).to_contain_text("The failed run stays.")
    dialog.get_by_role("button", name="Put 0.99 back").click()
    expect(momentum).to_be_hidden()
    rate.click()
    page.keyboard.type("0.05")
    page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    expect(rate.locator(".said")).to_have_text("0.05")
    page.keyboard.press("Control+Enter")
    expect(page).not_to_have_url(re.compile(f"/runs/{run_id}$"), timeout=WAIT)
    again = server.run(int(page.url.rpartition("/")[2]))
    assert again["spec"]["optimizer"] == {**server.run(run_id)["spec"]["optimizer"], "lr": 0.05}
    server.wait_for(again["id"], "succeeded")


def test_a_short_run_shows_its_accuracy_within_the_epoch_hollow(server: Server, page: Page) -> None:
    short = server.launch(dataset="digits", model="fc", batch_size=200)
    server.wait_for(short, "succeeded")
    page.goto(f"{server.url}/runs/{short}")
    drawn = """() => (document.getElementById('accuracy-chart').data ?? []).filter((t) => t.name && t.x.length)
        .map((t) => [t.name, t.x.length, t.marker?.color === t.line.color])"""
    expected = [["on some test images", 9, False], ["test accuracy", 1, True]]
    until(lambda: page.evaluate(drawn) == expected, "both are drawn")
    expect(page.locator("#accuracy-note")).to_contain_text("Hollow points are of up to 500 test images")


def test_a_run_is_renamed_and_deleted_on_its_page(server: Server, page: Page) -> None:
    run_id = server.launch(dataset="digits", model="fc", batch_size=5000)
    server.wait_for(run_id, "succeeded")
    page.goto(f"{server.url}/runs/{run_id}")
    expect(page.locator("#f-accuracy")).to_contain_text("%")
    page.get_by_role("button", name="Rename").click()
    page.get_by_role("textbox", name="Name").fill("renamed <i>here</i>")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="renamed <i>here</i>")).to_be_visible()
    page.get_by_role("button", name="Show as a table").click()
    expect(page.locator("#loss-table tbody tr")).to_have_count(2)
    page.get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile(r"/$"))
    with server.api() as client:
        assert client.get(f"/runs/{run_id}").status_code == 404
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="renamed <i>here</i>")).to_be_visible()
    server.call("DELETE", f"/runs/{run_id}")


def test_the_theme_is_switched_and_remembered(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/compare")
    ground = "() => getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    page.get_by_role("button", name="Dark theme").click()
    assert page.evaluate(ground) == "rgb(16, 20, 25)"
    page.reload()
    assert page.evaluate(ground) == "rgb(16, 20, 25)"


@pytest.mark.parametrize("width", [390, 1440])
def test_no_page_is_wider_than_the_window(server: Server, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    run_id = server.launch(dataset="digits", model="fc", batch_size=5000)
    server.wait_for(run_id, "succeeded")
    for path in ("/", f"/runs/{run_id}", f"/compare?run={run_id}", "/experiments/new", "/compare", "/system"):
        page.goto(f"{server.url}{path}")
        expect(page.locator("#live")).to_have_text("Live")
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width, path


def test_an_answer_that_is_older_than_what_the_stream_told_does_not_stay(server: Server, page: Page) -> None:
    run_id = server.launch(dataset="digits", model="cnn", epochs=500)

    def answer_late(route: Route) -> None:
        answer = route.fetch()  # "pausing"
        until(lambda: page.locator("#status").inner_text() == "Paused", "the stream has told that it is paused")
        route.fulfill(response=answer)

    page.route("**/pause", answer_late)
    page.goto(f"{server.url}/runs/{run_id}")
    expect(page.locator("#status")).to_have_text("Running", timeout=WAIT)
    with page.expect_response("**/pause"):
        page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    expect(page.locator("#status")).to_have_text("Paused")


def test_a_run_is_paused_and_resumed_on_its_page(server: Server, page: Page) -> None:
    run_id = server.launch(dataset="digits", model="cnn", epochs=500)
    page.goto(f"{server.url}/runs/{run_id}")
    expect(page.locator("#status")).to_have_text("Running", timeout=WAIT)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#status")).to_have_text("Paused")
    paused = server.run(run_id)["steps_done"]
    expect(page.locator("#when")).to_contain_text("paused")
    page.get_by_role("button", name="Resume").click()
    until(lambda: int(page.locator("#f-steps").inner_text().replace(",", "")) > paused, "the figures go on")
    expect(page.locator("#attempts tbody tr")).to_have_count(2)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#status")).to_have_text("Stopped")


@pytest.mark.mend("C1")
def test_a_run_opened_in_a_background_tab_is_up_to_date_once_it_is_looked_at(server: Server, browser: Browser) -> None:
    page = browser.new_page()
    hidden = "Object.defineProperty(document, 'hidden', { configurable: true, get: () => !window.looked });"
    page.add_init_script(hidden)
    before = server.launch(dataset="digits", model="fc", epochs=10_000)  # until the page is there, whatever that takes
    run_id = server.launch(dataset="digits", model="fc", batch_size=200)
    page.goto(f"{server.url}/runs/{run_id}")
    expect(page.locator("#config tr").first).to_be_visible()
    server.call("POST", f"/runs/{before}/stop")
    server.wait_for(run_id, "succeeded")
    with server.api() as client, client.stream("GET", "/events", params={"run": run_id, "after": 0}) as told:
        next(line for line in told.iter_lines() if '"succeeded"' in line)  # whoever listens has been told by now
    expect(page.locator("#status")).not_to_have_text("Succeeded")
    page.evaluate("() => { window.looked = true; document.dispatchEvent(new Event('visibilitychange')); }")
    expect(page.locator("#status")).to_have_text("Succeeded", timeout=WAIT)
    page.close()


@pytest.mark.mend("C2")
def test_of_a_long_list_every_row_that_changed_is_fresh(browser: Browser, places: Places, tmp_path: Path) -> None:
    with serving(tmp_path / "home", places.prepared, RUNYARD_CPU_SLOTS="0", RUNYARD_PRELOAD="0") as held:
        base, grid = {"dataset": "digits", "model": "fc"}, {"seed": list(range(1, 141))}
        made = held.call("POST", "/experiments", json={"name": "Many", "base": base, "grid": grid})["run_ids"]
        tab = browser.new_page()
        tab.goto(held.url)
        expect(tab.locator("tr.run")).to_have_count(100)
        tab.get_by_role("button", name="Show more").click()
        expect(tab.locator("tr.run")).to_have_count(140)
        # a list that is made anew while more is on its way holds as many
        tab.goto(held.url)
        expect(tab.locator("tr.run")).to_have_count(100)
        waiting: list[Route] = []
        tab.route("**/runs?*cursor=*", lambda route: waiting.append(route))
        tab.get_by_role("button", name="Show more").click()
        until(lambda: tab.evaluate("1") and waiting, "more is asked for")
        held.launch(dataset="digits", model="fc")
        expect(tab.locator("tr.run")).to_have_count(141)
        waiting[0].continue_()
        held.call("POST", "/runs/bulk", json={"action": "pause", "run_ids": made[:60]})
        paused = tab.locator("tr.run", has_text="Paused")
        expect(paused).to_have_count(60, timeout=WAIT)
        tab.close()


def test_what_keeps_the_queue_waiting_is_said(browser: Browser, places: Places, tmp_path: Path) -> None:
    with serving(tmp_path / "home", places.prepared, RUNYARD_CPU_SLOTS="0", RUNYARD_PRELOAD="0") as held:
        run_id = held.launch(dataset="digits", model="fc")
        why = "No device has a slot: start the server with RUNYARD_CPU_SLOTS or RUNYARD_GPU_SLOTS above 0."
        tab = browser.new_page()
        tab.goto(f"{held.url}/runs/{run_id}")
        expect(tab.locator("#cause")).to_contain_text(why, timeout=WAIT)
        tab.goto(f"{held.url}/system")
        expect(tab.locator("#waits")).to_have_text(f"Nothing starts: n{why[1:]}", timeout=WAIT)
        held.call("POST", f"/runs/{run_id}/stop")
        expect(tab.locator("#waits")).to_be_hidden(timeout=WAIT)
        tab.close()


@pytest.mark.mend("C10")
def test_nine_windows_of_one_browser_are_all_live(server: Server, browser: Browser) -> None:
    context = browser.new_context()
    windows = [context.new_page() for _ in range(9)]
    for window in windows:
        window.goto(f"{server.url}/?dataset=digits")
        expect(window.locator("#live")).to_have_text("Live")
    assert server.call("GET", "/system")["listeners"] <= 2, "one stream for all of them"
    run_id = server.launch(dataset="digits", model="fc", batch_size=300, epochs=1)
    for window in windows:
        row = window.locator("tr.run", has=window.locator(f'a[href^="/runs/{run_id}"]'))
        expect(row).to_contain_text("Succeeded", timeout=WAIT)
    windows[0].close()  # it had the stream: another one takes over
    again = server.launch(dataset="digits", model="fc", batch_size=301, epochs=1)
    for window in windows[1:]:
        row = window.locator("tr.run", has=window.locator(f'a[href^="/runs/{again}"]'))
        expect(row).to_contain_text("Succeeded", timeout=WAIT)
    context.close()
