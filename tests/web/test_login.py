"""A server that others can reach asks for a token, everywhere; what it is told is not kept where it could be read."""

import itertools
import os
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.serving import Server, serving
from tests.template import template
from tests.web.test_security import MUTATING, described
from trainer.prepared import Places

PAGES = ["/", "/compare", "/experiments/new", "/runs/1", "/nothing"]
HTML = {"Accept": "text/html"}
SHARED = {"RUNYARD_HOST": "0.0.0.0", "RUNYARD_PRELOAD": "0"}
PUBLIC = {"RUNYARD_PUBLIC_URL": "https://train.example", "RUNYARD_PRELOAD": "0"}


@pytest.fixture(scope="module")
def shared(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("shared") / "home", places.prepared, **SHARED) as found:
        found.url = f"http://127.0.0.1:{found.url.rsplit(':', 1)[1]}"
        yield found


def told(server: Server, beginning: str) -> str:
    return next(line.split()[-1] for line in server.said if line.startswith(beginning))


@pytest.fixture(scope="module")
def owner(shared: Server) -> str:
    return told(shared, "Token")


@pytest.fixture(scope="module")
def reader(shared: Server) -> str:
    return told(shared, "Read-only token")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def runyard(server: Server, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return template().run([*arguments], {**os.environ, "RUNYARD_HOME": str(server.home)})


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        (bearer("ryd_" + "x" * 43), 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Cookie": "runyard=ryd_guessed"}, 401),
        ("reader", 403),
        ("owner, foreign Origin", 403),
        ("owner, foreign Host", 400),
    ],
    ids=["no token", "wrong token", "empty token", "wrong cookie", "read-only", "foreign Origin", "foreign Host"],
)
def test_every_mutating_route_is_refused(
    shared: Server, owner: str, reader: str, headers: dict[str, str] | str, status: int
) -> None:
    if isinstance(headers, str):
        headers = {
            "reader": bearer(reader),
            "owner, foreign Origin": {**bearer(owner), "Origin": "https://evil.example"},
            "owner, foreign Host": {**bearer(owner), "Host": "evil.example"},
        }[headers]
    mutating = [route for route in routes_of(shared, owner) if route[0] in MUTATING]
    assert len(mutating) >= 10
    with httpx.Client(base_url=shared.url) as client:
        for method, path in mutating:
            answer = client.request(method, path, headers=headers, json={"name": "x"})
            assert answer.status_code == status, (method, path, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"


def routes_of(server: Server, token: str) -> list[tuple[str, str]]:
    """Every route of the application, from the application itself."""
    return described(httpx.get(f"{server.url}/api/v1/openapi.json", headers=bearer(token)).json())


def test_every_reading_route_needs_a_token_too(shared: Server, owner: str) -> None:
    reading = [path for method, path in routes_of(shared, owner) if method == "GET" and path != "/healthz"]
    with httpx.Client(base_url=shared.url) as client:
        for path in [*reading, "/api/v1/events", "/api/v1/openapi.json", "/api/v1/nothing"]:
            answer = client.get(path)
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "runyard token new" in answer.json()["detail"]


def test_a_read_only_token_reads(shared: Server, reader: str) -> None:
    assert httpx.get(f"{shared.url}/api/v1/runs", headers=bearer(reader)).status_code == 200
    refused = httpx.post(f"{shared.url}/api/v1/runs", headers=bearer(reader), json={})
    assert "read-only" in refused.json()["detail"]


def test_a_full_token_launches(shared: Server, owner: str) -> None:
    body = {"spec": {"dataset": "digits", "device": "cuda"}}
    answer = httpx.post(f"{shared.url}/api/v1/runs", headers=bearer(owner), json=body)
    assert answer.status_code in (201, 422)


@pytest.mark.parametrize("path", PAGES)
def test_a_browser_is_led_to_the_login_page_and_back(shared: Server, path: str) -> None:
    answer = httpx.get(f"{shared.url}{path}?a=1", headers=HTML)
    assert answer.status_code == 303
    login = httpx.get(f"{shared.url}{answer.headers['location']}")
    assert login.status_code == 200
    assert f'value="{path}?a=1"' in login.text


def test_the_token_logs_a_browser_in_and_log_out_ends_it(shared: Server, owner: str) -> None:
    with httpx.Client(base_url=shared.url) as browser:
        answer = browser.post("/login", data={"token": f" {owner} ", "next": "/compare", "stay": "yes"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/compare")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert owner not in cookie
        assert browser.get("/", headers=HTML).status_code == 200
        kept = dict(browser.cookies)
        browser.post("/logout")
        assert browser.get("/api/v1/runs").status_code == 401
        answer = httpx.get(f"{shared.url}/api/v1/runs", cookies=kept)
    assert answer.status_code == 401  # not only forgotten by the browser


def test_the_link_logs_in_once(shared: Server) -> None:
    path = told(shared, "Log a browser in").partition("/login")[2]
    with httpx.Client(base_url=shared.url) as browser:
        assert browser.get(f"/login{path}").status_code == 303
        assert browser.get("/", headers=HTML).status_code == 200
    again = httpx.get(f"{shared.url}/login{path}")
    assert again.status_code == 403
    assert "used before" in again.text
    assert "set-cookie" not in again.headers


def test_a_token_in_the_address_is_not_taken(shared: Server, owner: str) -> None:
    answer = httpx.get(f"{shared.url}/api/v1/runs?token={owner}")
    assert answer.status_code == 401
    assert "address" in answer.json()["detail"]


@pytest.mark.parametrize("typed", ["", "ryd_short", "ryd_" + "x" * 43, "ryd_" + "x" * 90])
def test_a_wrong_token_is_answered_in_words_and_what_comes_next_is_kept(shared: Server, typed: str) -> None:
    answer = httpx.post(f"{shared.url}/login", data={"token": typed, "next": "/runs/1"})
    assert answer.status_code == 403
    assert 'role="alert"' in answer.text
    assert 'value="/runs/1"' in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "evil"])
def test_a_login_leads_to_no_other_site(shared: Server, owner: str, elsewhere: str) -> None:
    answer = httpx.post(f"{shared.url}/login", data={"token": owner, "next": elsewhere})
    assert answer.headers["location"] == "/"


def test_a_login_from_another_site_is_refused(shared: Server, owner: str) -> None:
    answer = httpx.post(f"{shared.url}/login", data={"token": owner}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403


def test_a_revoked_token_and_its_sessions_are_refused_at_once(shared: Server) -> None:
    made = runyard(shared, "token", "new", "lab")
    token, link = made.stdout.split()
    assert runyard(shared, "token", "new", "lab").stderr.startswith("runyard: token 'lab' is there already")
    with httpx.Client(base_url=shared.url) as browser:
        browser.get(f"/login?code={link.partition('=')[2]}")
        assert browser.get("/api/v1/runs").status_code == 200
        assert httpx.get(f"{shared.url}/api/v1/runs", headers=bearer(token)).status_code == 200
        assert "lab" in runyard(shared, "token", "list").stdout
        assert runyard(shared, "token", "revoke", "lab").returncode == 0
        assert browser.get("/api/v1/runs").status_code == 401
        assert httpx.get(f"{shared.url}/api/v1/runs", headers=bearer(token)).status_code == 401
    assert "does not exist" in runyard(shared, "token", "revoke", "lab").stderr


def test_an_open_stream_ends_when_its_token_is_revoked(shared: Server, owner: str) -> None:
    token = runyard(shared, "token", "new", "guest").stdout.split()[0]
    with httpx.Client(base_url=f"{shared.url}/api/v1", headers=bearer(owner), timeout=60) as keeper:
        run = keeper.post("/runs", json={"spec": {"model": "fc", "epochs": 1}}).json()["id"]
        with keeper.stream("GET", "/events", headers=bearer(token)) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "event: counts"
            assert runyard(shared, "token", "revoke", "guest").returncode == 0
            ended = threading.Event()
            changing = threading.Thread(target=_change, args=(shared, owner, run, ended))
            changing.start()
            try:
                rest = list(itertools.islice(lines, 300))
            finally:
                ended.set()
                changing.join()
        assert len(rest) < 300, "it ended"
        assert httpx.get(f"{shared.url}/api/v1/events", headers=bearer(token)).status_code == 401


def _change(server: Server, token: str, run: int, ended: threading.Event) -> None:
    """There is something to tell, again and again."""
    number = 0
    while not ended.wait(0.3):
        number += 1
        note = {"note": f"note {number}"}
        httpx.patch(f"{server.url}/api/v1/runs/{run}", json=note, headers=bearer(token)).raise_for_status()


def test_no_secret_is_in_the_database(shared: Server, owner: str, reader: str) -> None:
    with sqlite3.connect(shared.home / "runyard.db") as connection:
        kept = "\n".join(connection.iterdump())
    connection.close()
    assert "credential" in kept
    assert owner not in kept
    assert reader not in kept


def test_tokens_are_told_at_the_first_start_alone(places: Places, tmp_path: Path) -> None:
    with serving(tmp_path / "home", places.prepared, **PUBLIC) as server:
        assert server.url == "https://train.example"
        assert told(server, "Log a browser in").startswith("https://train.example/login?code=")
        server.restart()
        assert server.said == []


def test_a_public_address_means_a_token_and_its_name_is_let_in(places: Places, tmp_path: Path) -> None:
    with serving(
        tmp_path / "home",
        places.prepared,
        RUNYARD_PUBLIC_URL="https://train.example",
        RUNYARD_PRELOAD="0",
        RUNYARD_PORT="0",
    ) as server:
        assert server.process is not None
        ports = [c.laddr.port for c in psutil.Process(server.process.pid).net_connections() if c.status == "LISTEN"]
        url = f"http://127.0.0.1:{ports[0]}/api/v1/runs"
        token = bearer(told(server, "Token"))
        assert httpx.get(url).status_code == 401
        assert httpx.get(url, headers={**token, "Host": "train.example"}).status_code == 200
        assert httpx.get(url, headers={**token, "Host": "10.1.2.3"}).status_code == 200
        refused = httpx.get(url, headers={**token, "Host": "evil.example"})
        assert (refused.status_code, "RUNYARD_PUBLIC_URL" in refused.text) == (400, True)
        answer = httpx.post(
            f"http://127.0.0.1:{ports[0]}/login",
            data={"token": told(server, "Token")},
            headers={"Host": "train.example", "Origin": "https://train.example"},
        )
        assert "Secure" in answer.headers["set-cookie"]
