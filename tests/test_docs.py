"""What the documents say is so."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.jobs.causes import CAUSES
from app.settings import Settings
from tests.serving import Server, serving, until
from tests.template import template
from tests.trainer.test_folders import two_classes
from trainer.prepared import Places

ROOT = Path(__file__).parents[1]
DOCS = ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]


def test_every_cause_is_explained_and_every_explained_cause_is_there() -> None:
    section = (ROOT / "docs/operations.md").read_text().partition("## What each cause means")[2]
    assert sorted(re.findall(r"^\| `([^`]+)` \|", section, re.M)) == sorted(CAUSES)


def test_no_cause_is_written_anywhere_else() -> None:
    """A run's end gets its words from app.jobs.causes or app.store.runs, so that the list above is whole."""
    for name in ("dispatcher", "plan", "worker", "recorder", "launchers"):
        text = (ROOT / f"app/jobs/{name}.py").read_text()
        assert not re.findall(r"(?:runs\.end|runs\.refuse|recorder\.flush)\([^()]*[\"'][^()]*\)", text), name


def test_every_setting_is_documented() -> None:
    listed = set(re.findall(r"^\| `RUNYARD_(\w+)`", (ROOT / "docs/operations.md").read_text(), re.M))
    assert listed == {name.upper() for name in Settings.model_fields}


def test_every_call_in_the_documents_is_there(shared_server: Server) -> None:
    paths = shared_server.call("GET", "/openapi.json")["paths"]
    known = [re.compile(re.sub(r"\{\w+\}", r"[^/]+", path)) for path in [*paths, "/api/v1/openapi.json"]]
    for name in DOCS:
        for path in re.findall(r"/api/v1/[\w/.-]+", (ROOT / name).read_text()):
            assert any(pattern.fullmatch(path.rstrip(".")) for pattern in known), (name, path)


def test_every_link_between_documents_leads_somewhere() -> None:
    for name in DOCS:
        for target in re.findall(r"\]\((?!http)([^)#]+)", (ROOT / name).read_text()):
            assert (ROOT / name).parent.joinpath(target).exists(), (name, target)


def test_the_python_of_the_api_document_runs(
    shared_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNYARD_URL", shared_server.url)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/api.md").read_text(), re.S)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "docs/api.md", "exec"), names)
    assert len(blocks) >= 9
    assert (tmp_path / "series.parquet").stat().st_size > 1000


ELSEWHERE = {  # how a line of a shell block begins, and where it is tried instead
    "make ": "tests/acceptance/test_demo.py, and .ci/run",
    "docker compose ": "tests/test_containers.py",
    "pip install ": "tests/test_plugins.py",
    "runyard serve": "every test with a server",
    "runyard launch model=linear,cnn dataset=stripes": "tests/test_plugins.py",
    "RUNYARD_HOST=0.0.0.0 ": "tests/web/test_login.py",
    ".venv/bin/python -m trainer --model vgg --dataset cifar10": "takes an hour; tests/trainer trains each part of it",
    "curl -X POST http://127.0.0.1:8000/api/v1/datasets/mnist/prepare": "it downloads",
}


LONG = ("model=resnet,vgg epochs=10 seed=1,2,3 --watch", "model=resnet,vgg epochs=10 seed=1,2,3 --plan")
"""What takes minutes is planned: the server says what it would launch."""


def shell_lines(name: str) -> list[str]:
    """The commands of a document, each whole, without what is said of it."""
    text = (ROOT / name).read_text()
    found: list[str] = []
    for language, block in re.findall(r"```(\w*)\n(.*?)```", text, re.S):
        if language or block.startswith(" "):  # Python, or what a command prints
            continue
        command = ""
        for line in block.replace("\\\n", "").splitlines():
            command = f"{command}\n{line}" if command else line
            if command.count("'") % 2 == 0 and command.strip():
                found.append(re.sub(r"\s+# .*$", "", command))
                command = ""
    return found


@pytest.fixture(scope="module")
def documented(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server as a reader of the documents has it: an experiment with a question, its runs done, a folder of pets."""
    root = tmp_path_factory.mktemp("documented")
    two_classes(root / "datasets" / "pets", 12)
    with serving(root / "home", places.prepared, RUNYARD_DATASETS=str(root / "datasets")) as server:
        base = {"model": "fc", "dataset": "digits", "batch_size": 500}
        question = {"knobs": ["pixel_order"], "max_seeds": 4}
        orders = {"pixel_order": ["original", "shuffled"]}
        body = {"name": "a question", "base": base, "grid": orders, "question": question}
        server.call("POST", "/experiments", json=body)
        until(lambda: server.call("GET", "/experiments/1/question")["state"] != "asking", "it is asked")
        yield server


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("name", ["README.md", "docs/api.md", "docs/plugins.md"])
def test_the_commands_of_the_documents_work_as_they_stand(documented: Server, tmp_path: Path, name: str) -> None:
    tried = 0
    for command in shell_lines(name):
        if any(command.startswith(beginning) for beginning in ELSEWHERE):
            continue
        tried += 1
        if command.startswith("curl "):
            most = 5 if "/events" in command else 60  # a stream does not end by itself
            status = f"timeout 90 curl -s -m {most} -w '\\n%{{http_code}}' " + command.removeprefix("curl ")
            here = status.replace("http://127.0.0.1:8000", documented.url)
            done = subprocess.run(["bash", "-c", here], cwd=tmp_path, capture_output=True, text=True)
            code = done.stdout.rpartition("\n")[2]
            ended_already = code == "409" and command.endswith(("/pause", "/resume"))
            assert code.startswith("2") or ended_already, (command, done.stdout[-500:])
        elif command.startswith(".venv/bin/runyard "):
            words = shlex.split(command.replace(*LONG) if LONG[0] in command else command)[1:]
            environment = {**os.environ, "RUNYARD_URL": documented.url}
            ran = _in(tmp_path, words, environment)
            assert ran.returncode == 0, (command, ran.stderr)
        else:
            assert command.startswith(".venv/bin/python -m trainer "), command
            words = [sys.executable, *shlex.split(command)[1:]]
            environment = {**os.environ, "RUNYARD_HOME": str(documented.home)}
            subprocess.run(words, cwd=ROOT, env=environment, check=True, capture_output=True)
    assert tried or name == "docs/plugins.md"
    for experiment in documented.call("GET", "/experiments")["items"]:  # else the next one waits for all of theirs
        documented.call("POST", f"/experiments/{experiment['id']}/stop")


def _in(folder: Path, words: list[str], environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """The command there: what it writes goes into that folder."""
    words = [str(folder / word) if word.endswith(".parquet") else word for word in words]
    return template().run(words, environment, timeout=450)


def test_the_python_of_the_readme_runs(documented: Server) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    exec(compile(block.replace("http://127.0.0.1:8000", documented.url), "README.md", "exec"), {})


def test_the_api_page_shows_every_call_without_anything_from_elsewhere(shared_server: Server) -> None:
    with shared_server.api() as client:
        page = client.get(f"{shared_server.url}/api").text
    for path, methods in shared_server.call("GET", "/openapi.json")["paths"].items():
        assert f"<code>{path}</code>" in page
        for operation in methods.values():
            assert f'id="{operation["operationId"]}"' in page
    assert not re.findall(r'(?:src|href)="https?://', page)
