"""Old databases open with all that is in them."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import inspect

from app.store import engine, runs
from app.store.engine import REVISIONS, open_database, reading
from app.store.errors import StoreError
from app.store.migrations import versions
from trainer import catalog

# The tables as the version before migrations made them
BEFORE = """
CREATE TABLE clock (id INTEGER NOT NULL, change INTEGER NOT NULL, PRIMARY KEY (id));
CREATE TABLE experiment (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, name VARCHAR NOT NULL, base JSON NOT NULL,
    grid JSON NOT NULL, created_at DATETIME NOT NULL);
CREATE TABLE deletion (run_id INTEGER NOT NULL, changed INTEGER NOT NULL, PRIMARY KEY (run_id));
CREATE INDEX ix_deletion_changed ON deletion (changed);
CREATE TABLE run (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, experiment_id INTEGER REFERENCES experiment (id),
    name VARCHAR NOT NULL, status VARCHAR NOT NULL, cause VARCHAR, spec JSON NOT NULL, parameters INTEGER NOT NULL,
    steps_total INTEGER NOT NULL, steps_done INTEGER NOT NULL, device VARCHAR, stop_requested BOOLEAN NOT NULL,
    attempt INTEGER NOT NULL, changed INTEGER NOT NULL, created_at DATETIME NOT NULL, started_at DATETIME,
    ended_at DATETIME);
CREATE INDEX ix_run_experiment_id ON run (experiment_id);
CREATE INDEX run_by_status ON run (status, id);
CREATE INDEX ix_run_changed ON run (changed);
CREATE TABLE attempt (run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE, n INTEGER NOT NULL, pid INTEGER,
    pid_created FLOAT, cause VARCHAR, environment JSON, started_at DATETIME NOT NULL, ended_at DATETIME,
    PRIMARY KEY (run_id, n));
CREATE TABLE summary (run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE, metric VARCHAR NOT NULL,
    last FLOAT NOT NULL, best FLOAT NOT NULL, best_step INTEGER NOT NULL, PRIMARY KEY (run_id, metric));
CREATE INDEX summary_by_last ON summary (metric, last);
CREATE TABLE chunk (run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE, name VARCHAR NOT NULL,
    first_step INTEGER NOT NULL, last_step INTEGER NOT NULL, points INTEGER NOT NULL, changed INTEGER NOT NULL,
    steps BLOB NOT NULL, times BLOB NOT NULL, "values" BLOB NOT NULL, PRIMARY KEY (run_id, name, first_step));
CREATE INDEX ix_chunk_changed ON chunk (changed);
INSERT INTO clock VALUES (1, 41);
INSERT INTO experiment VALUES (3, 'old', '{}', '{}', '2026-11-24 19:00:00');
INSERT INTO run VALUES (7, 3, 'an old run', 'succeeded', NULL, '{"model": {"name": "fc"}}', 6442, 113, 113,
    'cpu', 0, 1, 40, '2026-11-24 19:00:00', '2026-11-24 19:00:01', '2026-11-24 19:00:02');
INSERT INTO attempt VALUES (7, 1, 1234, 5.0, NULL, '{"threads": 1}', '2026-11-24 19:00:00', '2026-11-24 19:00:02');
INSERT INTO summary VALUES (7, 'test/accuracy', 0.5, 0.6, 113);
"""

RECIPE_DEFAULTS = {
    name: knob.default
    for name, knob in catalog.TRAINING.items()
    if name not in ("epochs", "batch_size", "seed", "pixel_order", "permutation_seed")
}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "runyard.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(BEFORE)
    connection.close()
    return path


def test_a_database_of_the_state_before_opens_with_all_data(old: Path) -> None:
    for _ in range(2):  # the second opening finds nothing to do
        opened = open_database(old)
        with reading(opened) as session:
            run = runs.get(session, 7)
            assert (run.name, run.status, run.position, run.responding, run.crashes) == (
                "an old run",
                "succeeded",
                7,
                True,
                0,
            )
            assert run.spec == {"model": {"name": "fc"}, **RECIPE_DEFAULTS}
            assert runs.attempts(session, [7])[7][0].environment == {"threads": 1}
            assert runs.summaries(session, [7])[7]["test/accuracy"].best == 0.6
            assert engine.clock(session) == 41
        opened.dispose()


def test_a_migrated_database_has_the_columns_of_a_new_one(old: Path, tmp_path: Path) -> None:
    migrated, fresh = open_database(old), open_database(tmp_path / "fresh.db")

    def columns(of: object) -> dict[str, set[tuple[str, bool]]]:
        found = inspect(of)
        return {
            table: {(c["name"], c["nullable"]) for c in found.get_columns(table)} for table in found.get_table_names()
        }

    assert columns(migrated) == columns(fresh)
    migrated.dispose()
    fresh.dispose()


def test_a_database_from_a_newer_version_is_refused(old: Path) -> None:
    open_database(old).dispose()
    with sqlite3.connect(old) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match=r"made by a newer Runyard .* upgrade Runyard"):
        open_database(old)


def test_the_engine_knows_every_migration() -> None:
    files = sorted(path.name[:4] for path in Path(versions.__path__[0]).glob("0*.py"))
    assert tuple(files) == REVISIONS
