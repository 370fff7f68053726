"""Each setting knows where its value came from."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.settings import OWN_PATHS, Settings, SettingsError, read_settings
from app.web.security import is_shared
from tests.serving import ROOT


def test_a_setting_says_where_it_came_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RUNYARD_HOME", str(tmp_path))
    monkeypatch.setenv("RUNYARD_PORT", "9000")
    monkeypatch.delenv("RUNYARD_CPU_SLOTS", raising=False)
    settings = Settings(host="::1")
    assert {name: settings.source(name) for name in ("home", "port", "host", "cpu_slots")} == {
        "home": "environment",
        "port": "environment",
        "host": "command line",
        "cpu_slots": "default",
    }
    assert Settings(port=1).source("port") == "command line"  # it wins over the environment


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNYARD_CPU_SLOTS", "")
    assert Settings().source("cpu_slots") == "default"


@pytest.mark.parametrize("given", ["train.example", "https://", "https://a b", "javascript:1"])
def test_a_public_address_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="public_url"):
        Settings(public_url=given)


@pytest.mark.parametrize(
    ("given", "shared"),
    [
        ({}, False),
        ({"host": "localhost"}, False),
        ({"host": "0.0.0.0"}, True),
        ({"host": "::"}, True),
        ({"host": "192.168.1.5"}, True),
        ({"public_url": "http://127.0.0.1:9000"}, False),
        ({"public_url": "https://train.example"}, True),
    ],
    ids=str,
)
def test_a_server_that_others_can_reach_is_shared(given: dict[str, str], shared: bool) -> None:
    assert is_shared(Settings(**given)) is shared  # type: ignore[arg-type]


@pytest.mark.parametrize("command", ["serve", "runs", "demo"])
def test_a_wrong_value_is_one_line(command: str, tmp_path: Path) -> None:
    variables = {**os.environ, "RUNYARD_PORT": "many", "RUNYARD_HOME": str(tmp_path)}
    found = subprocess.run([sys.executable, "-m", "app.cli", command], capture_output=True, text=True, env=variables)
    assert found.returncode == 1
    assert found.stderr.startswith("runyard: RUNYARD_PORT is 'many': ")
    assert found.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("given", "root"),
    [
        ("https://train.example", ""),
        ("https://train.example/", ""),
        ("https://host.example/runyard", "/runyard"),
        ("https://host.example/tools/runyard/", "/tools/runyard"),
    ],
)
def test_a_public_address_may_have_a_path(given: str, root: str) -> None:
    settings = Settings(public_url=given)
    assert settings.root == root
    assert settings.public_url == given.rstrip("/")


def test_the_path_of_a_public_address_is_none_of_the_servers_own() -> None:
    routes = "".join(file.read_text() for file in (ROOT / "app" / "web").glob("*.py"))
    own = set(re.findall(r"@app\.\w+\(\"/([a-z][\w.-]*)", routes)) | {"api", "static"}
    assert own == set(OWN_PATHS)
    for name in own:
        with pytest.raises(SettingsError, match=f"RUNYARD_PUBLIC_URL is .*with /{name}"):
            read_settings(public_url=f"https://host.example/{name}")
