"""Each action of the pages, by mouse and by keyboard, in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.words import press
from tests.serving import Server, lasting_port, serving, until
from trainer.prepared import Places

SHORT = {"dataset": "digits", "model": "fc", "batch_size": 500}
LONG = {"dataset": "digits", "model": "cnn", "epochs": 500}
WAIT = 60_000


@pytest.fixture(scope="module")
def server(quick_server: Server) -> Server:
    """One of its own: the list shows what these tests launch and nothing else."""
    return quick_server


@pytest.fixture(scope="module")
def finished(server: Server) -> dict[str, int]:
    """An experiment of three short runs: its id and the first of theirs."""
    made = server.call("POST", "/experiments", json={"name": "Three seeds", "base": SHORT, "grid": {"seed": [1, 2, 3]}})
    for run_id in made["run_ids"]:
        server.wait_for(run_id, "succeeded")
    return {"id": made["id"], "first": made["run_ids"][0]}


@pytest.fixture
def long_runs(server: Server) -> Iterator[list[int]]:
    """Two runs at work and two that wait."""
    ids = [server.launch(**LONG) for _ in range(4)]
    yield ids
    server.call("POST", "/runs/bulk", json={"action": "stop", "run_ids": ids})
    for run_id in ids:
        if server.run(run_id)["status"] in ("starting", "running"):
            server.wait_for(run_id, "stopped")


def pick(page: Page, *run_ids: int) -> None:
    for run_id in run_ids:
        page.locator(f"tr[data-run='{run_id}'] input[type=checkbox]").check()


def test_selected_runs_are_stopped_and_resumed_together(server: Server, page: Page, long_runs: list[int]) -> None:
    page.goto(server.url)
    pick(page, *long_runs)
    page.get_by_role("button", name="Stop 4 runs").click()
    for run_id in long_runs:
        server.wait_for(run_id, "stopped")
    page.get_by_role("button", name="Resume 4 runs").click()
    until(lambda: server.run(long_runs[3])["status"] != "stopped", "they are queued again")
    expect(page.get_by_role("button", name="Pause 4 runs")).to_be_visible(timeout=WAIT)


def test_tags_are_given_shown_and_filter_the_list(server: Server, page: Page, finished: dict[str, int]) -> None:
    first = finished["first"]
    page.goto(server.url)
    pick(page, first, first + 1)
    page.get_by_role("button", name="Tag").click()
    page.get_by_role("textbox", name="Tags, with commas between them").fill("baseline, <b>bold</b>")
    page.keyboard.press("Enter")
    expect(page.locator(f"tr[data-run='{first}'] .tag")).to_have_text(["<b>bold</b>", "baseline"], timeout=WAIT)
    page.locator(f"tr[data-run='{first}'] .tag", has_text="baseline").click()
    expect(page.locator("tr.run")).to_have_count(2)
    assert "tag=baseline" in page.url
    page.reload()
    expect(page.locator("tr.run")).to_have_count(2)
    page.get_by_role("button", name="Not only runs tagged baseline").click()
    expect(page.locator(f"tr[data-run='{first + 2}']")).to_be_visible()


def test_deleted_runs_come_back_by_undo(server: Server, page: Page, finished: dict[str, int]) -> None:
    first = finished["first"]
    page.goto(server.url)
    pick(page, first, first + 1)
    page.get_by_role("button", name="Delete 2 runs").click()
    expect(page.locator(f"tr[data-run='{first}']")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(f"tr[data-run='{first}']")).to_be_visible()
    assert server.run(first)["status"] == "succeeded"


def test_columns_are_chosen_and_remembered(server: Server, page: Page, finished: dict[str, int]) -> None:
    page.goto(server.url)
    expect(page.get_by_role("columnheader", name="Seed")).to_be_visible()
    page.get_by_text("Columns").click()
    page.get_by_label("Seed", exact=True).uncheck()
    page.get_by_label("Learning rate").check()
    for _ in range(2):
        expect(page.get_by_role("columnheader", name="Seed")).to_be_hidden()
        expect(page.get_by_role("columnheader", name="Learning rate")).to_be_visible()
        expect(page.locator(f"tr[data-run='{finished['first']}'] .c-lr")).to_have_text("0.01")
        page.reload()


def test_any_column_sorts(server: Server, page: Page, finished: dict[str, int]) -> None:
    page.goto(f"{server.url}/?experiment={finished['id']}")
    for column, sort in {"Name": "name", "Last": "train%2Floss", "Duration": "duration", "Step": "steps"}.items():
        page.get_by_role("button", name=column, exact=True).click()
        expect(page.locator("th[aria-sort=ascending], th[aria-sort=descending]")).to_have_text(column)
        expect(page).to_have_url(re.compile(f"sort={sort}"))
        expect(page.locator("tr.run")).to_have_count(3)


def test_the_keyboard_moves_selects_and_acts(server: Server, page: Page, long_runs: list[int]) -> None:
    page.goto(f"{server.url}/?sort=created&order=asc&q=cnn-original")
    expect(page.locator(f"tr[data-run='{long_runs[0]}']")).to_be_visible()
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("jx")  # typed, not obeyed
    expect(page.locator("#bulk")).to_be_hidden()
    page.locator("#q").fill("")
    page.goto(server.url)
    expect(page.locator(f"tr[data-run='{long_runs[3]}']")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#bulk-count")).to_have_text("2 runs selected")
    page.keyboard.press("s")
    until(lambda: [server.run(run_id)["status"] for run_id in long_runs].count("stopped") == 2, "two are stopped")
    page.keyboard.press("Escape")
    expect(page.locator("#bulk")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("Stop the selected runs")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile("/experiments/new"))


def test_the_keyboards_place_survives_a_list_made_anew(server: Server, page: Page, long_runs: list[int]) -> None:
    page.goto(server.url)
    expect(page.locator(f"tr[data-run='{long_runs[3]}']")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("#bulk-count")).to_have_text("1 run selected")
    another = server.launch(**LONG)
    expect(page.locator(f"tr[data-run='{another}']")).to_be_visible()
    page.keyboard.press("x")  # the same run, so none is left
    expect(page.locator("#bulk")).to_be_hidden()
    server.call("POST", f"/runs/{another}/stop")


def test_a_run_is_noted_tagged_and_relaunched_with_changes(
    server: Server, page: Page, finished: dict[str, int]
) -> None:
    page.goto(f"{server.url}/runs/{finished['first'] + 2}")
    page.get_by_role("button", name="Add note").click()
    page.get_by_role("textbox", name="Note").fill("two lines\n<i>of words</i>")
    page.get_by_role("button", name="Save note").click()
    expect(page.locator("#note")).to_have_text("two lines\n<i>of words</i>")
    page.get_by_role("button", name="Add tag").click()
    page.get_by_role("textbox", name="With commas between them").fill("keep")
    page.get_by_role("button", name="Save tags").click()
    expect(page.locator("#tags")).to_have_text("keep")
    expect(page.locator("#log")).to_contain_text("finished after 15 steps")
    page.get_by_role("button", name="Relaunch").click()
    dialog = page.get_by_role("dialog", name="Relaunch")
    expect(dialog.locator(".says")).to_contain_text("1 run in")
    dialog.get_by_role("link", name="All settings").click()
    expect(page.locator("#launch-words")).to_have_text("Launch 1 run", timeout=WAIT)
    assert "seed=3" in page.url
    expect(page.locator("#plan")).to_contain_text(" s")  # its time, by runs like it
    expect(page.locator("#takes")).to_contain_text("about")
    press(page, "seed").get_by_role("textbox", name="Which seeds").fill("3, 11, 12")
    page.keyboard.press("Enter")
    expect(page.locator("#launch-words")).to_have_text("Launch 3 runs", timeout=WAIT)
    page.locator("#launch").click()
    expect(page).to_have_url(re.compile(r"/compare\?experiment="))


def test_the_log_follows_a_running_run(server: Server, page: Page, long_runs: list[int]) -> None:
    server.wait_for(long_runs[0], "running")
    page.goto(f"{server.url}/runs/{long_runs[0]}")
    expect(page.locator("#log-state")).to_have_text("following", timeout=WAIT)
    lines = len(page.locator("#log").inner_text().splitlines())
    until(lambda: len(page.locator("#log").inner_text().splitlines()) > lines + 2, "the log grows")
    shown = page.locator("#log").inner_text().splitlines()
    assert len(set(shown)) == len(shown)  # nothing twice


def test_an_experiment_is_renamed_noted_deleted_and_restored(server: Server, page: Page) -> None:
    made = server.call("POST", "/experiments", json={"name": "To go", "base": SHORT, "grid": {"seed": [1]}})
    server.wait_for(made["run_ids"][0], "succeeded")
    page.goto(f"{server.url}/compare?experiment={made['id']}")
    for action, field, words in (("Rename", "Name", "To stay"), ("Note", "In your own words", "for the talk")):
        page.get_by_text("More", exact=True).click()
        page.get_by_role("button", name=action, exact=True).click()
        page.get_by_role("textbox", name=field).fill(words)
        page.keyboard.press("Enter")
        expect(page.get_by_text(words, exact=True)).to_be_visible()
    page.locator("#save summary").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Runs as CSV").click()
    assert download.value.suggested_filename == f"experiment-{made['id']}-runs.csv"
    page.get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Archive", exact=True).click()
    expect(page.get_by_text("Archived: lists leave it out")).to_be_visible()
    page.get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Bring back from the archive").click()
    page.get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Delete with its runs").click()
    expect(page).to_have_url(re.compile(r"/$"))
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="To stay")).to_be_visible()
    assert server.call("GET", f"/experiments/{made['id']}")["note"] == "for the talk"


def test_the_system_page_shows_the_queue_and_moves_a_run_to_its_front(
    server: Server, page: Page, long_runs: list[int]
) -> None:
    server.wait_for(long_runs[1], "running")
    page.goto(f"{server.url}/system")
    expect(page.locator("#queue tr")).to_have_count(2)
    expect(page.locator("#slots-note")).to_have_text("2 of 2 slots in use")
    expect(page.locator("#running tr")).to_have_count(2)
    page.locator(f"#queue tr[data-run='{long_runs[3]}']").get_by_role("button", name="Move to front").click()
    expect(page.locator("#queue tr").first).to_have_attribute("data-run", str(long_runs[3]))
    expect(page.locator("#settings")).to_contain_text("RUNYARD_CPU_SLOTS")
    expect(page.locator("#settings tr", has_text="RUNYARD_CPU_SLOTS")).to_contain_text("environment")
    expect(page.locator("#disk")).to_contain_text("runyard.db")


def test_a_browser_logs_in_and_a_read_only_one_is_offered_no_writing(
    browser: Browser, places: Places, tmp_path: Path
) -> None:
    with serving(tmp_path / "home", places.prepared, RUNYARD_HOST="0.0.0.0", RUNYARD_PRELOAD="0") as shared:
        url = f"http://127.0.0.1:{shared.url.rpartition(':')[2]}"
        owner, reader = (line.split()[-1] for line in shared.said[:2])
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{url}/system")
        page.get_by_label("Token").fill(owner[:-2])
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_contain_text("it has 47 characters, this one has 45")
        page.get_by_label("Token").fill(reader)
        page.get_by_role("button", name="Log in").click()
        expect(page).to_have_url(f"{url}/system")
        expect(page.locator("#live")).to_have_text("Live")
        expect(page.locator("#tokens")).to_contain_text("read-only")
        expect(page.get_by_role("link", name="New experiment", exact=True)).to_have_count(0)
        page.get_by_role("button", name="Log out").click()
        page.get_by_label("Token").fill(owner)
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_label("Token")).to_have_value(owner)
        page.get_by_role("button", name="Log in").click()
        expect(page.locator("#live")).to_have_text("Live")
        page.get_by_role("link", name="New experiment", exact=True).click()
        expect(page.locator("#script")).to_contain_text("Bearer $RUNYARD_TOKEN")

        other = context.new_page()  # logs out while the form is open: its stream ends at the next event
        other.goto(f"{url}/system")
        other.get_by_role("button", name="Log out").click()
        expect(other.get_by_label("Token")).to_be_visible()
        headers = {"Authorization": f"Bearer {owner}"}
        httpx.post(f"{url}/api/v1/runs", json={"spec": {"epochs": 1}}, headers=headers).raise_for_status()
        expect(page.get_by_text("You are logged out")).to_be_visible(timeout=WAIT)
        asked = page.url
        page.get_by_role("button", name="Log in").click()
        page.get_by_label("Token").fill(owner)
        page.get_by_role("button", name="Log in").click()
        expect(page).to_have_url(asked)
        context.close()


def test_a_stream_that_fails_is_shown_and_mends_itself(browser: Browser, places: Places, tmp_path: Path) -> None:
    own_port = {"RUNYARD_PORT": str(lasting_port())}
    with serving(tmp_path / "home", places.prepared, RUNYARD_PRELOAD="0", **own_port) as own:
        context = browser.new_context()
        page = context.new_page()
        run_id = own.launch(**LONG)
        page.goto(f"{own.url}/runs/{run_id}")
        expect(page.locator("#status")).to_have_text("Running", timeout=WAIT)
        own.kill()
        expect(page.locator("#live")).to_have_text("Reconnecting")
        own.start()
        expect(page.locator("#live")).to_have_text("Live", timeout=WAIT)
        before = int(page.locator("#f-steps").inner_text().replace(",", ""))
        until(lambda: int(page.locator("#f-steps").inner_text().replace(",", "")) > before, "the figures go on")
        own.call("POST", f"/runs/{run_id}/stop")
        own.wait_for(run_id, "stopped")
        context.close()


def undo(page: Page, said: str) -> None:
    toast = page.locator(".toast", has_text=said)
    expect(toast).to_be_visible(timeout=WAIT)
    toast.get_by_role("button", name="Undo").click()


def goes_on(server: Server, run_id: int) -> bool:
    run = server.run(run_id)
    return run["status"] in ("queued", "running") and not run["stop_requested"]


def is_gone(server: Server, path: str) -> bool:
    with server.api() as client:
        return client.get(path).status_code == 404


@pytest.mark.mend("C5")
def test_a_stop_is_undone_from_its_toast(server: Server, page: Page) -> None:
    made = server.call("POST", "/experiments", json={"name": "Go on", "base": LONG, "grid": {"seed": [1, 2, 3]}})
    ids = made["run_ids"]
    server.wait_for(ids[0], "running", steps=1)
    page.goto(f"{server.url}/compare?experiment={made['id']}")
    page.get_by_role("button", name="Stop 3 runs").click()
    undo(page, "Stopping 3 runs")
    for run_id in ids:
        until(lambda run_id=run_id: goes_on(server, run_id), "it goes on")
    page.goto(f"{server.url}/runs/{ids[0]}")
    page.locator("#stop").click()
    server.wait_for(ids[0], "stopped")
    undo(page, "Stopping 1 run")
    until(lambda: goes_on(server, ids[0]), "it goes on")
    server.call("POST", f"/experiments/{made['id']}/stop")
    until(lambda: server.call("GET", f"/experiments/{made['id']}")["counts"]["stopped"] == 3, "all are stopped")


@pytest.mark.mend("C5")
def test_a_launch_is_undone_from_its_toast(server: Server, page: Page) -> None:
    body = {"name": "Once more", "base": SHORT, "grid": {"seed": [1, 2]}}
    made = server.call("POST", "/experiments", json=body)
    for run_id in made["run_ids"]:
        server.wait_for(run_id, "succeeded")
    blocking = [server.launch(**LONG) for _ in range(2)]  # what is launched now has to wait
    page.goto(f"{server.url}/compare?experiment={made['id']}")
    page.get_by_role("button", name=re.compile(r"^Launch \d+ more seeds?$")).click()
    counts = until(lambda: (now := server.call("GET", f"/experiments/{made['id']}")["counts"])["queued"] and now, "")
    undo(page, f"{counts['queued']} run")
    until(lambda: sum(server.call("GET", f"/experiments/{made['id']}")["counts"].values()) == 2, "they are gone")
    server.call("POST", "/runs/bulk", json={"action": "stop", "run_ids": blocking})

    page.goto(f"{server.url}/experiments/new?model=cnn&dataset=digits&epochs=500")
    page.locator("#name-line summary").click()
    page.get_by_label("Name", exact=True).fill("A mistake")
    page.get_by_role("button", name=re.compile("^Launch ")).click()
    page.wait_for_url(re.compile(r"/compare\?experiment=\d+"))
    experiment = page.url.rpartition("=")[2]
    undo(page, "queued")
    until(lambda: is_gone(server, f"/experiments/{experiment}"), "the experiment is gone")
    page.wait_for_url(f"{server.url}/")


@pytest.mark.mend("C5")
def test_failed_runs_are_launched_again_once(server: Server, page: Page) -> None:
    base = {**SHORT, "model": {"name": "fc", "n_hidden": 512}, "optimizer": {"lr": 100, "momentum": 0.99}}
    made = server.call("POST", "/experiments", json={"name": "Too fast", "base": base, "grid": {"seed": [1, 2]}})
    for run_id in made["run_ids"]:
        server.wait_for(run_id, "failed")
    page.goto(server.url)
    again = page.locator("button", has_text=re.compile(r"^Relaunch 2 failed$"))
    again.click()
    expect(page.locator(".toast")).to_contain_text("2 runs queued again, from the start")
    found = until(
        lambda: (now := server.call("GET", f"/experiments/{made['id']}"))["counts"]["failed"] == 4 and now, ""
    )
    assert found["to_relaunch"] == 2
    expect(again).to_be_visible()  # for the two new ones
    page.goto(f"{server.url}/compare?experiment={made['id']}")
    page.locator("#experiment-menu summary").click()
    expect(page.locator("#experiment-relaunch")).to_have_text("Relaunch 2 failed runs")


def test_an_experiment_without_a_result_has_its_cause_as_headline_and_one_way_out(server: Server, page: Page) -> None:
    base = {**SHORT, "model": {"name": "fc", "n_hidden": 512}, "optimizer": {"lr": 100, "momentum": 0.99}}
    made = server.call("POST", "/experiments", json={"name": "Too fast", "base": base, "grid": {"seed": [3, 4]}})
    for run_id in made["run_ids"]:
        server.wait_for(run_id, "failed")
    page.goto(f"{server.url}/compare?experiment={made['id']}")
    expect(page.locator("#headline")).to_contain_text(re.compile(r"^Both runs of .* failed \(loss became"))
    expect(page.locator("#before")).to_be_empty()
    page.get_by_role("link", name="Try learning rate 0.1").click()
    rate = page.locator('.sentence [data-path="optimizer.lr"]')
    expect(rate.locator(".was")).to_have_text("100")
    expect(rate.locator(".said")).to_have_text("0.1")
    expect(page.locator("#product")).to_have_text("2 seeds = 2 runs")


def test_a_stopped_experiment_is_resumed_where_its_answer_would_stand(server: Server, page: Page) -> None:
    made = server.call("POST", "/experiments", json={"name": "Stopped", "base": {**LONG}, "grid": {"seed": [1, 2]}})
    server.call("POST", f"/experiments/{made['id']}/stop")
    for run_id in made["run_ids"]:
        server.wait_for(run_id, "stopped")
    page.goto(f"{server.url}/compare?experiment={made['id']}")
    page.get_by_role("button", name="Resume 2 runs").click()
    until(lambda: server.run(made["run_ids"][0])["status"] in ("queued", "starting", "running"), "it goes on")
    server.call("POST", f"/experiments/{made['id']}/stop")


def test_the_form_offers_to_hold_images_out_where_an_epoch_is_chosen(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/experiments/new?model=cnn&dataset=digits")
    note = page.locator("#chosen-by-tests")
    page.locator("#recipe summary").click()
    best = press(page, "keep").get_by_role("button", name="best", exact=True)
    expect(note).to_be_hidden()
    best.click()
    expect(note).to_be_visible()
    page.get_by_role("button", name="Hold out 719 training images").click()
    expect(note).to_be_hidden()
    expect(page.locator("#script")).to_contain_text('"validation": 719')
