"""Under a path of a host, behind a real nginx: https://host/runyard, as where several tools share one name."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.serving import ROOT, Server, lasting_port, serving, until
from trainer.prepared import Places

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="no nginx is installed: apt-get install nginx-light")

CONFIGURATION = """
daemon off;
master_process off;
pid {home}/nginx.pid;
error_log stderr warn;
events {{}}
http {{
    access_log off;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    proxy_buffering off;
    proxy_set_header Host $http_host;
    server {{
        listen 127.0.0.1:{kept};
        location /runyard {{ proxy_pass http://127.0.0.1:{server}; }}
    }}
    server {{
        listen 127.0.0.1:{taken};
        location /runyard/ {{ proxy_pass http://127.0.0.1:{server}/; }}
    }}
}}
"""
"""Two ways in: the path is kept, and taken off."""

PAGES = ("/", "/experiments/new", "/compare", "/compare?experiment=1", "/runs/1", "/runs/1/predictions")
PAGES += ("/compare/predictions?run=1&run=2", "/models", "/models/cnn", "/data", "/data/digits", "/system", "/how-sure")
PAGES += ("/api", "/nothing")

LINKS = """() => [...document.querySelectorAll('[href], [src], [action]')]
    .flatMap((one) => [one.href, one.src, one.action])
    .filter((one) => typeof one === 'string' && /^http/.test(one))"""


@pytest.fixture(scope="module")
def ways(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str, str]]:
    """The server, and its address with the path kept and taken off by the proxy."""
    assert NGINX is not None
    home = tmp_path_factory.mktemp("proxy")
    ports = {"server": lasting_port(), "kept": lasting_port(), "taken": lasting_port()}
    kept, taken = (f"http://127.0.0.1:{ports[one]}/runyard" for one in ("kept", "taken"))
    (home / "nginx.conf").write_text(CONFIGURATION.format(home=home, **ports))
    proxy = subprocess.Popen([NGINX, "-p", str(home), "-c", str(home / "nginx.conf")])
    settings = {"RUNYARD_PUBLIC_URL": f"{kept}/", "RUNYARD_PORT": str(ports["server"]), "RUNYARD_TOKEN_REQUIRED": "1"}
    try:
        with serving(home / "home", places.prepared, RUNYARD_CPU_SLOTS="2", **settings) as server:
            yield server, kept, taken
    finally:
        proxy.terminate()
        proxy.wait(20)


def test_every_page_works_under_a_path_of_a_host(ways: tuple[Server, str, str], browser: Browser) -> None:
    server, kept, taken = ways
    assert server.url == kept
    link = next(line.split()[-1] for line in server.said if "login?code=" in line)
    assert link.startswith(f"{kept}/login?code=")
    context = browser.new_context()
    page = context.new_page()
    wrong: list[str] = []
    page.on(
        "console",
        lambda one: wrong.append(one.text) if one.type == "error" and "status of 404" not in one.text else None,
    )
    page.on("pageerror", lambda error: wrong.append(str(error)))
    inside = (f"{kept}/", f"{taken}/", "data:", "blob:")
    page.on("request", lambda one: None if one.url.startswith(inside) else wrong.append(one.url))
    page.on("response", lambda one: wrong.append(one.url) if one.status >= 400 and not unknown(one.url) else None)

    page.goto(link)
    expect(page).to_have_url(f"{kept}/")
    card = page.locator(".preset", has_text="without a download")
    card.get_by_role("button").first.click()
    expect(page).to_have_url(re.compile(f"^{kept}/compare\\?experiment=1"))
    expect(page.locator("#live")).to_have_text("Live")
    expect(page.locator("#answer")).to_contain_text(re.compile("CNN.*FC|FC.*CNN", re.DOTALL), timeout=180_000)
    cookies = {one["name"]: one["path"] for one in context.cookies(kept)}  # type: ignore[typeddict-item]
    assert cookies == {"runyard": "/runyard"}
    token = next(line.split()[-1] for line in server.said if line.startswith("Token"))
    headers = {"Authorization": f"Bearer {token}"}
    until(lambda: both_are_done(kept, headers), "the first two runs have succeeded")
    httpx.post(f"{kept}/api/v1/experiments/1/stop", headers=headers).raise_for_status()
    for base in (kept, taken):
        for path in PAGES:
            page.goto(base + path)
            expect(page.locator("#live")).to_have_text("Live")
            page.wait_for_load_state("networkidle")
            outside = [one for one in page.evaluate(LINKS) if not one.startswith(f"{base}/")]
            assert outside == [], path
    page.goto(f"{kept}/runs/1")
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile(f"^{kept}/experiments/new"))
    page.goto(f"{kept}/system")
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(f"{kept}/login")
    page.goto(f"{kept}/runs/1")
    page.get_by_label("Token", exact=True).fill(token)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{kept}/runs/1")
    context.close()
    assert wrong == []


def unknown(address: str) -> bool:
    """Whether nothing is there on a server whose only data set is digits."""
    return "/nothing" in address or "/images" in address


def both_are_done(base: str, headers: dict[str, str]) -> bool:
    found = [httpx.get(f"{base}/api/v1/runs/{run}", headers=headers).json()["status"] for run in (1, 2)]
    return found == ["succeeded"] * 2


def test_the_api_says_where_it_is_under_a_path(ways: tuple[Server, str, str]) -> None:
    server, kept, taken = ways
    token = next(line.split()[-1] for line in server.said if line.startswith("Token"))
    headers = {"Authorization": f"Bearer {token}"}
    for base in (kept, taken):
        assert httpx.get(f"{base}/api/v1/openapi.json", headers=headers).json()["servers"] == [{"url": "/runyard"}]
        body = {"spec": {"model": "fc", "dataset": "digits", "epochs": 1}}
        made = httpx.post(f"{base}/api/v1/runs", json=body, headers=headers)
        assert made.headers["location"] == f"/runyard/api/v1/runs/{made.json()['id']}"
        away = httpx.get(f"{base}/runs/1?x=1", headers={"Accept": "text/html"})
        assert (away.status_code, away.headers["location"]) == (303, "/runyard/login?next=/runs/1%3Fx%3D1")
    page = httpx.get(f"{kept}/api", headers=headers | {"Accept": "text/html"}).text
    assert f"{kept}/api/v1/runs" in page


LITERAL = re.compile(r"""(?<![\w)\]])(["`])/(?=[a-z"`$])""")
CALLS = re.compile(r"""((get|post|patch|remove|url)\(\s*|const path =\s*|keys\(\{\n  |^ *[/*].*)$""")
"""What may stand before such a path: a call of the API, whose client adds the root, or `url` itself."""


def test_every_address_in_the_scripts_goes_by_url() -> None:
    found = []
    for file in sorted((ROOT / "static" / "js").rglob("*.js")):
        text = file.read_text()
        for match in LITERAL.finditer(text):
            line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
            if not CALLS.search(text[max(0, match.start() - 40) : match.start()]) and not CALLS.match(line):
                found.append(f"{file.name}: {line[-60:]}")
    assert found == []


ADDRESS = re.compile(r"""(href|src|action)="(?!#|{{ (root|static|plotly) }})""")


def test_every_address_in_the_templates_has_the_root() -> None:
    found = [
        f"{file.name}: {match.group(0)}"
        for file in sorted(Path(ROOT / "templates").glob("*.html"))
        for match in re.finditer(
            r"""(href|src|action)="(?!#|\{\{ (root|static|plotly) \}\})[^"]*\"""", file.read_text()
        )
    ]
    assert found == []
