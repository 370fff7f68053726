"""The container files: known to the compose schema, laid over each other as docs say, and safe. No Docker is needed.

The Dockerfile's own steps are run by `python -m tests.container ROOT`.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
RESET = object()


class Loader(yaml.SafeLoader):
    """Knows compose's own tag: `!reset` takes away what the file below has."""


Loader.add_constructor("!reset", lambda *_: RESET)


def read(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load((ROOT / name).read_text(), Loader)
    return loaded


def laid_over(below: Any, above: Any) -> Any:
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    merged = {**below, **{key: laid_over(below.get(key), value) for key, value in above.items()}}
    return {key: value for key, value in merged.items() if value is not RESET}


@pytest.fixture(params=["docker-compose.yml", "with docker-compose.cpu.yml"])
def composed(request: pytest.FixtureRequest) -> dict[str, Any]:
    base = read("docker-compose.yml")
    merged: dict[str, Any] = base if request.param.startswith("docker") else laid_over(base, read(request.param[5:]))
    return merged


def check(path: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_compose_schema_knows_every_word(composed: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "docker-compose.yml"
    path.write_text(yaml.safe_dump(composed))
    checked = check(path)
    assert checked.returncode == 0, checked.stdout
    path.write_text(yaml.safe_dump({"services": {"runyard": {**composed["services"]["runyard"], "restrat": "no"}}}))
    assert "restrat" in check(path).stdout


def test_the_host_publishes_on_loopback_alone(composed: dict[str, Any]) -> None:
    assert [port.split(":")[0] for port in composed["services"]["runyard"]["ports"]] == ["127.0.0.1"]


def test_a_gpu_is_reserved_but_for_the_host_without_one() -> None:
    with_gpu = read("docker-compose.yml")
    (device,) = with_gpu["services"]["runyard"]["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]
    assert "deploy" not in laid_over(with_gpu, read("docker-compose.cpu.yml"))["services"]["runyard"]


def test_the_container_keeps_its_data_and_comes_back(composed: dict[str, Any]) -> None:
    service = composed["services"]["runyard"]
    assert service["volumes"] == ["data:/data"]
    assert "data" in composed["volumes"]
    assert service["restart"] == "unless-stopped"
    assert service["shm_size"]


def test_the_dockerfile_is_clean() -> None:
    hadolint = shutil.which("hadolint", path=Path(sys.executable).parent)
    assert hadolint
    checked = subprocess.run([hadolint, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout == ""


def test_the_image_has_what_the_server_needs_and_runs_as_nobody_special() -> None:
    text = (ROOT / "Dockerfile").read_text()
    copied = {source for line in re.findall(r"^COPY (?!--)(.+)$", text, re.M) for source in line.split()[:-1]}
    assert {"app", "trainer", "templates", "static", "pyproject.toml", "constraints.txt"} <= copied
    assert all((ROOT / source).exists() for source in copied)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert all(f"!{source}" in ignored for source in copied)
    assert re.search(r"^USER 10001", text, re.M)
    assert re.search(r"^VOLUME /data$", text, re.M)
    assert "RUNYARD_HOST=0.0.0.0" in text  # beyond loopback, so a token is required
