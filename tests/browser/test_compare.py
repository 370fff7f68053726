"""The compare page: zoom, its address, what can be saved, and that everyone can use it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from app.store import series
from app.store.engine import open_database, writing
from app.store.series import Point
from tests.browser.plots import is_drawn
from tests.serving import Server, until

WAIT = 60_000
ORDERS = {"pixel_order": ["original", "shuffled"]}


@pytest.fixture(scope="module")
def experiment(server: Server) -> int:
    """Four finished runs of 1,130 steps: wider than what a panel draws."""
    body = {"name": "In order and shuffled", "base": {"model": "fc", "epochs": 10}, "grid": {**ORDERS, "seed": [1, 2]}}
    made = server.call("POST", "/experiments", json=body)
    for run_id in made["run_ids"]:
        server.wait_for(run_id, "succeeded")
    found: int = made["id"]
    return found


@pytest.fixture(scope="module")
def sweep(server: Server) -> int:
    base = {"model": "fc", "batch_size": 200}
    grid = {"optimizer.lr": [0.001, 0.01, 0.1], "seed": [1, 2]}
    made = server.call("POST", "/experiments", json={"name": "Rates", "base": base, "grid": grid})
    for run_id in made["run_ids"]:
        server.wait_for(run_id, "succeeded")
    found: int = made["id"]
    return found


def ranges(page: Page) -> list[list[float]]:
    """Of every x axis."""
    code = """() => Object.entries(document.getElementById('plot')._fullLayout ?? {})
        .filter(([name]) => /^xaxis\\d*$/.test(name)).map(([, axis]) => axis.range.map(Number))"""
    found: list[list[float]] = page.evaluate(code)
    return found


def drag_over_first_panel(page: Page, start: float, end: float) -> None:
    """Zoom with the mouse into a part of the first panel, given as shares of its width."""
    box = page.locator("#plot .draglayer .xy .nsewdrag").first.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * start, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * (start + end) / 2, y, steps=4)
    page.mouse.move(box["x"] + box["width"] * end, y, steps=4)
    page.mouse.up()


def test_zoom_on_one_facet_moves_the_others_and_fetches_full_detail(
    server: Server, page: Page, experiment: int
) -> None:
    page.goto(f"{server.url}/compare?experiment={experiment}")
    is_drawn(page)
    expect(page.locator("#caption")).to_contain_text("buckets of 4 steps")
    assert ranges(page) == [[0, 1130], [0, 1130]]
    with page.expect_request(re.compile(r"/series\?.*from=\d+")):
        drag_over_first_panel(page, 0.2, 0.4)
    expect(page.locator("#caption")).to_contain_text("every one drawn")
    until(lambda: ranges(page)[0] == ranges(page)[1] != [0, 1130], "all facets show the part")
    first, second = [[round(end) for end in one] for one in ranges(page)]
    assert first == second
    assert 200 < first[0] < 250
    assert 430 < first[1] < 470
    expect(page).to_have_url(re.compile(r"from=\d+&to=\d+"))
    page.reload()
    expect(page.locator("#caption")).to_contain_text("every one drawn", timeout=WAIT)
    assert ranges(page) == [first, second]

    # on another axis the part is found by what was drawn
    page.locator("#x").select_option("epoch")
    until(lambda: ranges(page) == [[0, 10], [0, 10]], "the whole is drawn by epochs")
    with page.expect_request(re.compile(r"/series\?.*from=\d+")) as asked:
        drag_over_first_panel(page, 0.5, 0.7)
    step = int(re.findall(r"from=(\d+)", asked.value.url)[0])
    assert 4.8 * 113 < step < 5.1 * 113
    expect(page.locator("#caption")).to_contain_text("every one drawn")


@pytest.mark.mend("C4")
def test_where_a_loss_ends_does_not_change_with_what_is_drawn(server: Server, page: Page, experiment: int) -> None:
    page.goto(f"{server.url}/compare?experiment={experiment}")
    is_drawn(page)
    titles = page.locator("#panel-titles")
    expect(titles).to_contain_text("final loss")
    whole = titles.inner_text()
    drag_over_first_panel(page, 0.1, 0.4)
    expect(page).to_have_url(re.compile("from="))
    expect(page.get_by_text("points a run")).to_be_visible()
    until(lambda: ranges(page)[0][1] < 600, "the part is drawn")
    assert titles.inner_text() == whole
    page.goto(page.url)
    is_drawn(page)
    until(lambda: titles.inner_text() == whole, "the same from the link")


@pytest.mark.mend("C6")
def test_a_mean_ends_where_the_first_of_its_runs_does(server: Server, page: Page, experiment: int) -> None:
    page.goto(f"{server.url}/compare?experiment={experiment}")
    is_drawn(page)
    mean = page.evaluate(
        """async () => {
            const { src } = document.querySelector('script[type=module][src*="/js/"]');
            const { spread } = await import(src.replace(/js\\/[^/]*$/, "js/curves.js"));
            const steps = (values) => values.map((_, at) => at + 1);
            const of = (one) => ({ steps: steps(one), mean: one, min: one, max: one });
            const curves = [[1, 2, 3, 4], [3, 4], [2, null, 2]].map(of);
            return spread(curves, (one) => one.steps, 1);
        }"""
    )
    assert (mean["x"], mean["mean"]) == ([1], [2])


@pytest.mark.mend("C6")
def test_what_a_log_axis_has_no_place_for_is_said_to_be_missing(server: Server, page: Page) -> None:
    body = {"name": "Gates", "base": {"model": "fc", "batch_size": 200}, "grid": {"seed": [1, 2, 3]}}
    made = server.call("POST", "/experiments", json=body)
    engine = open_database(server.home / "runyard.db")
    for run_id, first in zip(made["run_ids"], (0.5, 0.0, -1.0), strict=True):
        server.wait_for(run_id, "succeeded")
        with writing(engine) as session:
            values = enumerate((first, 0.5, 1.5, 2.0), 1)
            series.append(session, run_id, [Point("gate/open", step, 0.1 * step, value) for step, value in values])
    engine.dispose()
    address = f"{server.url}/compare?experiment={made['id']}&metric=gate%2Fopen"
    missing = "A log axis has no place for 0 and below: 2 of 3 runs have such values, which are missing here."
    page.goto(f"{address}&scale=log")
    is_drawn(page)
    expect(page.locator("#caption")).to_contain_text(missing)
    page.goto(address)
    is_drawn(page)
    expect(page.locator("#caption")).not_to_contain_text("log axis")


@pytest.mark.mend("C5")
def test_nothing_that_launches_comes_where_stop_was(server: Server, page: Page) -> None:
    base = {"model": "fc", "batch_size": 10, "epochs": 200}
    made = server.call("POST", "/experiments", json={"name": "To be stopped", "base": base, "grid": {"seed": [1, 2]}})
    page.goto(f"{server.url}/compare?experiment={made['id']}")
    stop = page.get_by_role("button", name="Stop 2 runs")
    place = stop.bounding_box()
    stop.click()
    stopped = page.get_by_role("button", name="Stopped")
    expect(stopped).to_be_disabled(timeout=WAIT)
    more = page.get_by_role("button", name=re.compile("^Launch \\d+ more seeds?$"))
    expect(more).to_be_visible()
    launches = more.bounding_box()
    assert place is not None
    assert launches is not None
    assert launches["y"] > place["y"] + 100
    assert len(server.call("GET", f"/experiments/{made['id']}")["run_ids"]) == 2


def test_hover_shows_all_runs_at_that_x_in_every_panel(server: Server, page: Page, experiment: int) -> None:
    page.goto(f"{server.url}/compare?experiment={experiment}")
    is_drawn(page)
    box = page.locator("#plot .draglayer .xy .nsewdrag").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5, steps=3)
    expect(page.locator(".across")).to_have_count(2)
    expect(page.locator("#plot .hoverlayer")).to_be_hidden()
    assert "Share" not in page.locator("#plot .modebar").inner_html(), "nothing leaves this machine"
    shown = page.locator(".hover-box")
    expect(shown.locator("b")).to_have_text(re.compile(r"^step [\d,]+$"))
    expect(shown.locator("th")).to_have_text(["FC, in order", "FC, shuffled"])
    expect(shown.locator("td").first).to_have_text(re.compile(r"^\d\.\d+\s+\d\.\d+$"))
    page.mouse.move(5, 5, steps=3)
    expect(page.locator(".across, .hover-box")).to_have_count(0)


def test_a_growing_run_keeps_the_zoom(server: Server, page: Page) -> None:
    body = {"name": "Long", "base": {"model": "fc", "epochs": 400}, "grid": {**ORDERS, "seed": [1]}}
    made = server.call("POST", "/experiments", json=body)
    for run_id in made["run_ids"]:
        server.wait_for(run_id, "running", steps=200)
    page.goto(f"{server.url}/compare?experiment={made['id']}&from=100&to=40000")
    is_drawn(page)
    points = """() => (document.getElementById('plot').data ?? []).filter((t) => t.name)
        .reduce((n, t) => n + t.x.length, 0)"""
    before = page.evaluate(points)
    until(lambda: page.evaluate(points) > before + 10, "the curves grow")
    assert ranges(page) == [[100, 40000], [100, 40000]]
    server.call("POST", f"/experiments/{made['id']}/stop")
    for run_id in made["run_ids"]:
        server.wait_for(run_id, "stopped")


NOTIFIED = """window.Notification = class extends EventTarget {
    static permission = 'granted';
    static requestPermission() { return Promise.resolve('granted'); }
    constructor(title, { body }) { super(); (window.told ??= []).push(`${title}: ${body}`); }
};"""


def test_the_tab_tells_progress_and_its_end_once(server: Server, browser: Browser) -> None:
    body = {"name": "Tab", "base": {"model": "fc", "epochs": 10_000}, "grid": {"seed": [1, 2]}}
    made = server.call("POST", "/experiments", json=body)
    page = browser.new_page()
    page.add_init_script(NOTIFIED)
    page.goto(f"{server.url}/compare?experiment={made['id']}")
    expect(page).to_have_title(re.compile("^0/2 Tab"), timeout=WAIT)
    icon = "document.querySelector('link[rel=icon]').href"
    assert page.evaluate(icon).startswith("data:image/svg+xml,")
    page.locator("#experiment-menu summary").click()
    page.get_by_role("button", name="Notify me when all have ended").click()
    expect(page.get_by_role("button", name="Do not notify me")).to_be_visible()
    server.call("POST", f"/experiments/{made['id']}/stop")
    expect(page).to_have_title("Tab · Runyard", timeout=WAIT)
    assert page.evaluate(icon).endswith("/favicon.svg")
    (told,) = page.evaluate("told")
    assert told.startswith("Tab: ")
    expect(page.locator("#notify")).to_be_hidden()
    page.close()


def seen(page: Page) -> dict[str, Any]:
    """What is drawn and how the controls stand."""
    is_drawn(page)
    found: dict[str, Any] = page.evaluate(
        """() => ({
            types: Object.entries(document.getElementById('plot').layout).filter(([n]) => /axis/.test(n))
                .map(([n, a]) => [n, a.type ?? null]),
            traces: document.getElementById('plot').data.map((t) => [t.name ?? '', t.line?.color ?? '', t.x.length]),
            marks: document.getElementById('plot').layout.annotations.length,
            fields: [...document.querySelectorAll('#main select, #main input')].map((f) => [f.id, f.value, f.checked]),
            answer: document.getElementById('answer').innerText,
        })"""
    )
    return found


def test_the_address_of_a_changed_view_opens_to_the_same_view(server: Server, page: Page, sweep: int) -> None:
    page.goto(f"{server.url}/compare?experiment={sweep}")
    is_drawn(page)
    page.get_by_role("button", name="mean, range").click()
    page.locator("#x").select_option("images")
    page.locator("#measure").select_option("test/loss.best")
    expect(page.locator("#answer")).to_contain_text("has the lowest best test loss")
    page.get_by_role("button", name="log", exact=True).click()
    page.locator("#facets summary").click()
    page.locator("#facet-columns").select_option("optimizer.lr")
    page.locator("#facet-color").select_option("none")
    page.locator("#best").check()
    expect(page.locator(".panel-title")).to_have_count(3)
    expect(page).to_have_url(re.compile("best=marked"))
    expect(page.locator("#against")).to_have_value("optimizer.lr")  # the last to come
    before = seen(page)
    assert ["yaxis", "log"] in before["types"]
    assert before["marks"] == 3
    address = page.url
    page.evaluate("localStorage.clear(); sessionStorage.clear()")
    page.goto(f"{server.url}/healthz")
    page.goto(address)
    expect(page.locator(".panel-title")).to_have_count(3, timeout=WAIT)
    until(lambda: seen(page) == before, "the same view is shown")


def test_a_sweep_has_a_ramp_lines_across_its_figures_and_a_scatter(server: Server, page: Page, sweep: int) -> None:
    page.goto(f"{server.url}/compare?experiment={sweep}")
    is_drawn(page)
    expect(page.locator(".panel-title")).to_have_count(1)
    colours = page.evaluate(
        "() => [...new Set(document.getElementById('plot').data.filter((t) => t.name).map((t) => t.line.color))]"
    )
    assert len(colours) == 3
    expect(page.locator("#sweep")).to_be_visible()
    gaps = """() => (document.getElementById('parallel').data ?? [])
        .flatMap((t) => [...t.x]).filter((x) => x === null).length"""
    until(lambda: page.evaluate(gaps) == 6, "each run has its line")
    dots = """() => (document.getElementById('scatter').data ?? [])
        .filter((t) => t.mode === 'markers').flatMap((t) => t.x)"""
    until(lambda: sorted(page.evaluate(dots)) == [0.001, 0.001, 0.01, 0.01, 0.1, 0.1], "each run has its dot")


def test_the_report_opens_from_disk_without_a_network(
    server: Server, page: Page, browser: Browser, experiment: int, tmp_path: Path
) -> None:
    page.goto(f"{server.url}/compare?experiment={experiment}")
    is_drawn(page)
    answer = page.locator("#answer").inner_text()
    page.locator("#save summary").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Report (HTML)").click()
    file = tmp_path / download.value.suggested_filename
    assert file.name == "in-order-and-shuffled.html"
    download.value.save_as(file)

    context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
    report = context.new_page()
    asked: list[str] = []
    wrong: list[str] = []
    report.on("request", lambda request: asked.append(request.url))
    report.on("pageerror", lambda error: wrong.append(str(error)))
    report.goto(file.as_uri())
    expect(report.locator("#answer")).to_have_text(answer.replace("\n", ""))
    expect(report.locator("#plot .scatterlayer .trace path.js-line").first).to_be_attached()
    expect(report.locator("#finals .scatterlayer .point").first).to_be_visible()
    expect(report.locator("select, input, details, button:not(.modebar button)")).to_have_count(0)
    assert asked == [file.as_uri()]
    assert wrong == []
    context.close()


@pytest.mark.parametrize(("label", "ending", "begins"), [("SVG", ".svg", b"<svg"), ("PNG", ".png", b"\x89PNG")])
def test_the_curves_are_saved_as_a_picture(
    server: Server, page: Page, experiment: int, label: str, ending: str, begins: bytes
) -> None:
    page.goto(f"{server.url}/compare?experiment={experiment}")
    is_drawn(page)
    page.locator("#save summary").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Curves as {label}").click()
    assert download.value.suggested_filename.endswith(ending)
    content = Path(download.value.path()).read_bytes()
    assert content.startswith(begins)
    if label == "SVG":
        assert b"FC, shuffled" in content
        assert b"In order and shuffled" in content


@pytest.mark.mend("C9")
@pytest.mark.parametrize(
    ("title", "name"),
    [("卷积网络 与 全连接", "卷积网络-与-全连接"), ("Größe: 3 × 3?", "größe-3-3"), ("???", "comparison")],
)
def test_a_download_is_called_as_the_experiment_in_any_script(
    server: Server, page: Page, experiment: int, title: str, name: str
) -> None:
    server.call("PATCH", f"/experiments/{experiment}", json={"name": title})
    page.goto(f"{server.url}/compare?experiment={experiment}")
    is_drawn(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    assert download.value.suggested_filename == f"{name}.csv"
    server.call("PATCH", f"/experiments/{experiment}", json={"name": "In order and shuffled"})


@pytest.mark.mend("C3")
@pytest.mark.parametrize("dataset", ["digits", "mnist", "cifar10"])
def test_train_on_a_data_set_opens_the_form_with_it(server: Server, page: Page, dataset: str) -> None:
    page.goto(f"{server.url}/data/{dataset}")
    page.get_by_role("link", name="Train on").click()
    expect(page).to_have_url(re.compile(f"/experiments/new\\?.*dataset={dataset}"))
    expect(page.locator("#script")).to_contain_text(f'"dataset": "{dataset}"')
    expect(page.locator("#launch")).to_be_enabled()


def test_the_keyboard_alone_gets_from_the_table_to_a_comparison(server: Server, page: Page, experiment: int) -> None:
    page.goto(f"{server.url}/?experiment={experiment}")
    expect(page.locator("tr.run")).to_have_count(4)
    page.keyboard.press("/")
    page.keyboard.type("order:shuffled test/accuracy>0.9999")
    expect(page.get_by_role("heading", name="No run matches")).to_be_visible()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("order:shuffled seed<=2")
    expect(page.locator("tr.run")).to_have_count(2)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("order:shuffled modle:fc")
    expect(page.locator("#q-error")).to_contain_text("'modle' is nothing that can be compared so")
    expect(page.locator("tr.run")).to_have_count(2)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("order:shuffled model:fc")
    expect(page.locator("#q-error")).to_be_hidden()
    page.keyboard.press("Tab")
    for key in ("j", "x", "j", "x", "c"):
        page.keyboard.press(key)
    expect(page).to_have_url(re.compile(r"/compare\?run=\d+&run=\d+"), timeout=WAIT)
    is_drawn(page)


def test_runs_stand_together_by_a_knob_and_a_view_is_saved(server: Server, page: Page, sweep: int) -> None:
    page.goto(f"{server.url}/?experiment={sweep}")
    page.locator("#group").select_option("optimizer.lr")
    groups = page.locator("tr.group")
    expect(groups).to_have_count(3)
    expect(groups.first).to_contain_text("Learning rate: 0.001")
    expect(groups.first).to_contain_text(re.compile(r"test accuracy \d+\.\d\d ± \d+\.\d\d%, 2 runs that succeeded"))
    page.locator("#views summary").click()
    page.get_by_role("button", name="Save this view").click()
    page.get_by_label("Name", exact=True).fill("Rates")
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(server.url)
    page.locator("#views summary").click()
    page.locator("#views-list").get_by_role("link", name="Rates").click()
    expect(page).to_have_url(re.compile(rf"experiment={sweep}&group=optimizer\.lr"))
    expect(groups).to_have_count(3)


def test_more_seeds_are_launched_with_one_click(server: Server, page: Page, sweep: int) -> None:
    page.goto(f"{server.url}/compare?experiment={sweep}")
    is_drawn(page)
    more = page.get_by_role("button", name=re.compile(r"^Launch \d+ more seeds?$"))
    count = int(re.findall(r"\d+", more.inner_text())[0])
    more.click()
    expect(page.locator("#show-runs")).to_have_text(f"Show {6 + 3 * count} runs", timeout=WAIT)
    expect(page.locator("#verdict-note")).to_contain_text("hold however often one looks", timeout=WAIT)
    expect(page.locator("#watched")).to_be_visible()
    looks = "() => document.getElementById('watched-plot').data?.find((t) => t.mode === 'markers')?.x.length ?? 0"
    until(lambda: page.evaluate(looks) >= 2, "the differences are drawn, seed by seed")
    server.call("POST", f"/experiments/{sweep}/stop")


def test_what_matters_is_changed_on_the_page_and_stands_in_its_address(
    server: Server, page: Page, experiment: int
) -> None:
    page.goto(f"{server.url}/compare?experiment={experiment}")
    is_drawn(page)
    matters = page.get_by_label("a difference matters from")
    expect(matters).to_have_value("1")
    interval = page.locator("#pairs tbody td").nth(2)
    before = interval.inner_text()
    matters.fill("60")
    matters.press("Enter")
    expect(page.locator(".change-line").first).to_contain_text("⊖ too small to matter")
    assert interval.inner_text() == before, "it changes no interval"
    assert "smallest=0.6" in page.url
    page.reload()
    expect(matters).to_have_value("60")
    matters.fill("many")
    matters.press("Enter")
    expect(page.locator("[role=alert], .toast").first).to_be_visible()
    page.locator("#measure").select_option("test/loss")
    expect(page.locator("#matters-unit")).to_have_text("")


@pytest.mark.parametrize("width", [1440, 768, 390])
def test_the_answer_is_an_instrument_whose_lines_show_their_arithmetic(
    server: Server, page: Page, experiment: int, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{server.url}/compare?experiment={experiment}")
    compared = server.call("GET", f"/compare?experiment={experiment}")
    lines = page.locator(".change-line")
    expect(lines).to_have_count(len(compared["verdict"]["rows"]))
    expect(page.locator("#headline")).to_have_text(compared["verdict"]["title"])
    row = compared["verdict"]["rows"][0]
    one = row["difference"]
    expect(lines.first.locator(".lead b")).to_have_text(row["lead"])
    expect(lines.first.locator(".seed")).to_have_count(len(one["by_seed"]))
    box = page.locator("#instrument").bounding_box()
    assert box is not None
    assert box["height"] >= 252
    lines.first.click()
    shown = page.locator(".arithmetic")
    expect(shown).to_be_visible()
    rows = shown.locator(".of-seeds tr")
    expect(rows).to_have_count(one["n"] + 1)
    for at, text in enumerate(rows.all_inner_texts()[:-1]):
        _, second, first, difference = re.findall(r"[−+]?\d+(?:\.\d+)?", text.replace("−\t", ""))
        assert float(second) - float(first) == pytest.approx(float(difference.replace("−", "-")), abs=0.006), at
    page.keyboard.press("Escape")
    expect(shown).to_be_hidden()
    expect(page.locator("#instrument")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.usefixtures("experiment")
def test_seeds_whose_results_are_known_are_told_and_others_offered(server: Server, page: Page) -> None:
    grid = "&".join(f"seed={seed}" for seed in (1, 2))
    page.goto(f"{server.url}/experiments/new?name=again&model=fc&epochs=10&pixel_order=original&{grid}")
    known = page.locator("#already")
    expect(known).to_contain_text("All 2 runs of these ran before, with these seeds: what they give was known")
    page.get_by_role("button", name="Take seeds 3 to 4").click()
    expect(known).to_be_hidden()
    page.locator("#matters-line summary").click()
    page.get_by_label("A difference matters from").fill("2.5")
    expect(page.locator("#matters-words")).to_have_text("differences of test accuracy from 2.5 points on")
    expect(page.locator("#script")).to_contain_text('"smallest": 0.025')
    expect(page).to_have_url(re.compile("seed=3&seed=4.*smallest=2.5"))


def test_an_answer_that_does_not_come_is_said_and_comes_with_the_next_event(
    server: Server, page: Page, experiment: int
) -> None:
    def refuse(route: Route) -> None:
        route.fulfill(status=404, content_type="application/problem+json", body=json.dumps({"detail": "It is away"}))

    page.route("**/api/v1/compare?*", refuse)
    page.goto(f"{server.url}/compare?experiment={experiment}")
    expect(page.locator("#answer")).to_have_text("It is away")
    page.unroute("**/api/v1/compare?*")
    server.launch(model="fc", batch_size=500)
    is_drawn(page)


PAGES = (
    "/?experiment={experiment}",
    "/?status=failed",
    "/experiments/new",
    "/compare",
    "/compare?experiment={experiment}",
    "/compare?experiment={sweep}",
    "/runs/{run}",
    "/runs/{failed}",
    "/runs/{run}/predictions",
    "/compare/predictions?run={run}&run={other}",
    "/models",
    "/models/cnn",
    "/data",
    "/data/digits",
    "/system",
    "/how-sure",
    "/api",
)


def test_a_sweep_says_which_value_may_be_best_and_adds_those_that_are_missing(server: Server, page: Page) -> None:
    grid = {"optimizer.lr": [0.001, 0.01, 0.1], "seed": [1, 2]}
    body = {"name": "Sweep", "base": {"model": "fc", "batch_size": 200}, "grid": grid}
    made = server.call("POST", "/experiments", json=body)
    for run_id in made["run_ids"]:
        server.wait_for(run_id, "succeeded")
    compared = server.call("GET", f"/compare?experiment={made['id']}")["verdict"]
    page.goto(f"{server.url}/compare?experiment={made['id']}")
    expect(page.locator("#answer .headline")).to_have_text(compared["sentences"][compared["headline"]])
    rows = page.locator("#answer-table tbody tr")
    expect(rows).to_have_count(3)
    assert [row.split()[0] for row in rows.all_inner_texts()] == ["0.001", "0.01", "0.1"], "in the setting's order"
    expect(rows.locator("svg[role=img]")).to_have_count(3)
    assert compared["lacking"]["beyond"]
    page.get_by_role("button", name="Add 1 and 10", exact=True).click()
    expect(page.get_by_text("of 10 runs ended", exact=False)).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("6 of 6 runs ended", exact=False)).to_be_visible()


PRESS_ALL = """() => {
    const fields = "main :is(button, input, select, textarea, summary):not(:disabled)";
    for (const field of document.querySelectorAll(fields)) {
        if (!field.checkVisibility() || field.closest("form[action]")) continue;
        if (field.matches("input, textarea")) field.value = "1";
        for (const type of ["input", "change"]) field.dispatchEvent(new Event(type, { bubbles: true }));
        field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
        field.click();
    }
}"""


def test_no_page_breaks_or_loses_what_is_typed_before_its_data_have_come(
    server: Server, page: Page, experiment: int, sweep: int
) -> None:
    run, other = server.call("GET", f"/experiments/{experiment}")["run_ids"][:2]

    def keep_waiting(_: Route) -> None:
        """Answers nothing."""

    page.route("**/api/v1/**", keep_waiting)
    for path in PAGES:
        page.goto(server.url + path.format(experiment=experiment, sweep=sweep, run=run, other=other, failed=run))
        page.evaluate(PRESS_ALL)
    page.goto(f"{server.url}/experiments/new")
    expect(page.locator("#name")).to_be_disabled()
    page.unroute_all(behavior="ignoreErrors")
    page.goto(f"{server.url}/experiments/new?model=cnn&dataset=digits")
    page.locator("#name-line summary").click()
    page.get_by_label("Name", exact=True).fill("Early")
    expect(page.get_by_role("button", name="Launch 1 run")).to_be_enabled()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Early")


def test_axe_finds_no_violation_on_any_page_in_either_theme(
    server: Server, page: Page, experiment: int, sweep: int
) -> None:
    run, other = server.call("GET", f"/experiments/{experiment}")["run_ids"][:2]
    failed = server.launch(model={"name": "fc", "n_hidden": 512}, optimizer={"lr": 100, "momentum": 0.99})
    server.wait_for(failed, "failed")
    axe = Axe()
    # another theme has other colours, and all else alike
    rules = {
        "light": {"resultTypes": ["violations"]},
        "dark": {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]},
    }
    opened = {"/experiments/new": ".sentence [data-path]", "/compare?experiment={experiment}": ".change-line"}
    opened |= {"/runs/{run}": "#relaunch", "/?experiment={experiment}": "#columns summary"}
    found = []
    for path, press in [*((path, "") for path in (*PAGES, "/nothing")), *opened.items()]:
        page.emulate_media(color_scheme="light")
        page.goto(server.url + path.format(experiment=experiment, sweep=sweep, run=run, other=other, failed=failed))
        expect(page.locator("#live")).to_have_text("Live")
        page.wait_for_load_state("networkidle")
        if press:
            page.locator(press).first.click()
            page.wait_for_load_state("networkidle")
        for theme, options in rules.items():
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            for one in axe.run(page, options=options).response["violations"]:
                found.append((path, press, theme, one["id"], one["nodes"][0]["target"], len(one["nodes"])))
    assert found == []
