"""A home is copied and put back whole, and what is wrong with one is told."""

import json
import sqlite3
from pathlib import Path

import pytest

from app.settings import Settings
from app.store import artifacts, backup, runs
from app.store.engine import open_database, reading, writing
from app.store.errors import StoreError
from app.store.tables import Status
from trainer.spec import parse


def filled(home: Path, *seeds: int) -> Settings:
    """A home with runs that succeeded; their weights say whose they are."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = Settings(home=home)
    engine = open_database(settings.database)
    with writing(engine) as session:
        made = [runs.add(session, parse({"seed": seed}), f"seed {seed}") for seed in seeds]
        for run in made:
            run.status = Status.SUCCEEDED
        session.flush()
        files = {run.files: run.seed for run in made}
    for name, seed in files.items():
        with artifacts.beside(artifacts.weights(settings, name)) as part:
            part.write_text(f"weights of seed {seed}")
        log = artifacts.log(settings, name, 1)
        log.parent.mkdir(exist_ok=True)
        log.write_text(f"log of seed {seed}")
    engine.dispose()
    return settings


def everyones(settings: Settings) -> dict[int, tuple[str, str]]:
    """Seed to what its run's files say."""
    engine = open_database(settings.database)
    with reading(engine) as session:
        every = runs.succeeded(session)
        found = {
            run.seed or 0: (
                artifacts.weights(settings, run.files).read_text(),
                artifacts.log(settings, run.files, 1).read_text(),
            )
            for run in every
        }
    engine.dispose()
    return found


@pytest.mark.mend("B1")
def test_what_is_put_back_is_each_runs_own_though_ids_are_given_again(tmp_path: Path) -> None:
    old = filled(tmp_path / "old", 1, 2)
    done = backup.backup(old, tmp_path / "copy")
    assert (done.runs, done.files) == (2, 5)
    filled(tmp_path / "old", 3)  # run 3 here, which the backup does not have
    new = Settings(home=tmp_path / "new")
    assert backup.restore(new, tmp_path / "copy") == done
    filled(tmp_path / "new", 30)  # run 3 there
    own = {seed: (f"weights of seed {seed}", f"log of seed {seed}") for seed in (1, 2, 3, 30)}
    assert everyones(new) == {seed: own[seed] for seed in (1, 2, 30)}
    assert everyones(old) == {seed: own[seed] for seed in (1, 2, 3)}
    assert all(one.well for one in backup.examine(new)), backup.examine(new)


@pytest.mark.mend("B1")
def test_a_backup_that_is_damaged_or_in_the_way_is_refused(tmp_path: Path) -> None:
    old = filled(tmp_path / "old", 1)
    backup.backup(old, tmp_path / "copy")
    with pytest.raises(StoreError, match="is not empty: name a new directory"):
        backup.backup(old, tmp_path / "copy")
    with pytest.raises(StoreError, match="is in use: name an empty directory"):
        backup.restore(old, tmp_path / "copy")
    with pytest.raises(StoreError, match="is no backup"):
        backup.restore(Settings(home=tmp_path / "new"), tmp_path / "old")
    with pytest.raises(StoreError, match="does not exist: name the home of a server"):
        backup.backup(Settings(home=tmp_path / "nowhere"), tmp_path / "other")
    (weights,) = (tmp_path / "copy").glob("artifacts/run-1-*/weights.pt")
    weights.write_text("weights of somebody else")
    with pytest.raises(StoreError, match="is not as it was backed up"):
        backup.restore(Settings(home=tmp_path / "new"), tmp_path / "copy")
    assert not (tmp_path / "new").exists(), "nothing is put back where one file is wrong"


@pytest.mark.mend("B1")
def test_a_manifest_can_not_name_files_outside_of_the_backup(tmp_path: Path) -> None:
    old = filled(tmp_path / "old", 1)
    backup.backup(old, tmp_path / "copy")
    manifest = tmp_path / "copy" / backup.MANIFEST
    made = json.loads(manifest.read_text())
    made["files"]["../old/runyard.db"] = "0" * 64
    manifest.write_text(json.dumps(made))
    with pytest.raises(StoreError, match="is not as it was backed up"):
        backup.restore(Settings(home=tmp_path / "new"), tmp_path / "copy")


def test_what_is_wrong_with_a_home_is_told_with_what_to_do(tmp_path: Path) -> None:
    home = filled(tmp_path / "home", 1, 2)
    engine = open_database(home.database)
    with reading(engine) as session:
        first = runs.get(session, 1)
        artifacts.weights(home, first.files).unlink()
    engine.dispose()
    (home.artifacts_dir / "run-9-0123456789ab").mkdir()
    home.home.chmod(0o755)
    bad = [one.what for one in backup.examine(home) if not one.well]
    assert bad[0].startswith("the home is open to others (755): chmod 700 ")
    assert bad[1] == "without weights, though they succeeded: runs 1; relaunch them"
    assert bad[2].startswith("files of runs that the database does not have: run-9-0123456789ab in ")
    with sqlite3.connect(home.database) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    content = bytearray(home.database.read_bytes())
    content[5000:9000] = b"x" * 4000
    home.database.write_bytes(content)
    assert "the database is damaged" in backup.examine(home)[-1].what
    assert backup.examine(Settings(home=tmp_path / "nowhere"))[0].what.endswith("or name another home")
