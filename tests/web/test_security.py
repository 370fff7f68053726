"""Nobody from elsewhere gets in, and nobody gets out of the folders."""

import re
from typing import Any

import httpx
import pytest

from tests.serving import Server

MUTATING = {"POST", "PUT", "PATCH", "DELETE"}


@pytest.fixture(scope="module")
def server(idle_server: Server) -> Server:
    return idle_server


def routes(server: Server) -> list[tuple[str, str]]:
    """Every route that the server itself describes, ids filled in."""
    return described(server.call("GET", "/openapi.json"))


def described(document: dict[str, Any]) -> list[tuple[str, str]]:
    every = [
        (method.upper(), re.sub(r"\{\w+\}", "1", path.replace("{name}", "digits")))
        for path, methods in document["paths"].items()
        for method in methods
    ]
    return [route for route in every if not route[1].endswith("/events")]  # a stream that is let in never ends


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "user@127.0.0.1", "", "[::1", "169.254.1.1"]
)
def test_a_foreign_host_name_is_refused_everywhere(server: Server, host: str) -> None:
    with server.api() as client:
        for method, path in [*routes(server), ("GET", "/")]:
            answer = client.request(method, f"{server.url}{path}", headers={"Host": host})
            assert answer.status_code == 400, (method, path)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "[::1]"])
def test_names_of_loopback_pass(server: Server, host: str) -> None:
    with server.api() as client:
        assert client.get("/runs", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_a_request_from_another_site_changes_nothing_and_is_told_nothing(
    server: Server, headers: dict[str, str]
) -> None:
    with server.api() as client:
        for method, path in routes(server):
            answer = client.request(method, f"{server.url}{path}", headers=headers, json={"name": "x"})
            is_api = path.startswith("/api/")
            assert (answer.status_code == 403) == (method in MUTATING or is_api), (method, path)


def test_own_origin_passes(server: Server) -> None:
    with server.api() as client:
        answer = client.post(
            "/experiments/plan", json={"name": "x"}, headers={"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
        )
    assert answer.status_code == 200


def test_another_port_of_this_machine_is_another_site(server: Server) -> None:
    with server.api() as client:
        answer = client.post("/experiments/plan", json={"name": "x"}, headers={"Origin": "http://127.0.0.1:1"})
    assert answer.status_code == 403


def test_a_form_of_another_site_can_not_send_json(server: Server) -> None:
    with server.api() as client:
        answer = client.post("/experiments", content=b'{"name": "x"}', headers={"Content-Type": "text/plain"})
    assert answer.status_code == 422


def test_every_answer_carries_the_policy(server: Server) -> None:
    with server.api() as client:
        for path in ("/", "/api/v1/runs", "/nothing", "/healthz", "/api/v1/runs/999"):
            policy = client.get(f"{server.url}{path}").headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "script-src 'self';" in policy
            assert "unsafe-eval" not in policy


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app/settings.py",
        "/static/%2e%2e/app/settings.py",
        "/static/x/..%2f..%2fpyproject.toml",
        "/static/x/%252e%252e/%252e%252e/pyproject.toml",
        "/static//etc/passwd",
        "/api/v1/runs/..%2f..%2f/log",
    ],
)
def test_no_path_leads_out_of_the_folders(server: Server, path: str) -> None:
    version = server.call("GET", "/system")["version"]
    assert version
    raw = httpx.URL(server.url).copy_with(raw_path=path.encode())
    with httpx.Client() as client:
        answer = client.get(raw)
    assert answer.status_code in (404, 422)
    assert "RUNYARD" not in answer.text
    assert "root:" not in answer.text


def test_the_pages_that_fastapi_loads_from_elsewhere_are_off(server: Server) -> None:
    with server.api() as client:
        for path in ("/docs", "/redoc", "/openapi.json"):
            assert client.get(f"{server.url}{path}").status_code == 404
