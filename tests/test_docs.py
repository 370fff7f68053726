"""What the documents say is so."""

import re
from pathlib import Path

import pytest

from app.jobs.causes import CAUSES
from app.settings import Settings
from tests.serving import Server

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


def test_the_api_page_shows_every_call_without_anything_from_elsewhere(shared_server: Server) -> None:
    with shared_server.api() as client:
        page = client.get(f"{shared_server.url}/api").text
    for path, methods in shared_server.call("GET", "/openapi.json")["paths"].items():
        assert f"<code>{path}</code>" in page
        for operation in methods.values():
            assert f'id="{operation["operationId"]}"' in page
    assert not re.findall(r'(?:src|href)="https?://', page)
