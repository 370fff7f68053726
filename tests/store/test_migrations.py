"""Databases of every version before, made by that version, open with all that is in them."""

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import inspect

from app.spec import stored
from app.store import engine, experiments, runs, series
from app.store.engine import REVISIONS, open_database, reading
from app.store.errors import StoreError
from app.store.migrations import versions
from trainer import catalog, metrics

SCHEMAS = sorted((Path(__file__).parent / "schemas").glob("*.sql"))
"""Dumps of databases: four runs of an experiment, one that was stopped, one that diverged, and what was new then."""


@pytest.fixture(params=SCHEMAS, ids=lambda path: path.stem)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return made(request.param, tmp_path)


def made(dump: Path, folder: Path) -> Path:
    path = folder / "runyard.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(dump.read_text())
    connection.close()
    return path


def rows(path: Path, query: str) -> list[dict[str, Any]]:
    with sqlite3.connect(path) as connection:
        connection.row_factory = sqlite3.Row
        found = [dict(row) for row in connection.execute(query)]
    connection.close()
    return found


def test_a_database_of_each_version_opens_with_all_that_is_in_it(old: Path) -> None:
    before = {row["id"]: row for row in rows(old, "SELECT * FROM run")}
    summaries = rows(old, "SELECT * FROM summary")
    chunks = rows(old, "SELECT * FROM chunk ORDER BY run_id, name, first_step")
    attempts = rows(old, "SELECT * FROM attempt")
    clock = rows(old, "SELECT change FROM clock")[0]["change"]
    for _ in range(2):  # the second opening finds nothing to do
        opened = open_database(old)
        with reading(opened) as session:
            for run_id, row in before.items():
                run = runs.get(session, run_id)
                kept = ("name", "status", "cause", "parameters", "steps_total", "steps_done", "device", "attempt")
                assert {name: getattr(run, name) for name in kept} == {name: row[name] for name in kept}
                assert run.files == f"run-{run_id}", "its files stay where they are"
                assert (run.seed, run.configuration) == (run.spec["seed"], stored.configuration(run.spec))
            assert engine.clock(session) == clock
            by_run = runs.summaries(session, before)
            for row in summaries:
                found, metric = by_run[row["run_id"]][row["metric"]], metrics.KNOWN[row["metric"]]
                if "best" in row:  # before 0009
                    assert series.best(found, metric) == (row["best"], row["best_step"])
                assert found.last == row["last"]
                values = series.read(session, row["run_id"], row["metric"]).values
                assert (found.least, found.greatest) == (values.min(), values.max())
                done = before[row["run_id"]]["status"] == "succeeded"
                assert (found.final is not None) == done
                assert series.declared(session, [row["run_id"]])[row["run_id"]][row["metric"]] == metric
            for row in attempts:
                one = runs.attempts(session, [row["run_id"]])[row["run_id"]][row["n"] - 1]
                assert (one.pid, one.cause, one.grace, one.handle) == (row["pid"], row["cause"], 5.0, None)
        opened.dispose()
    assert rows(old, "SELECT * FROM chunk ORDER BY run_id, name, first_step") == chunks


def test_the_four_runs_of_its_experiment_are_two_configurations_of_two_seeds(old: Path) -> None:
    opened = open_database(old)
    with reading(opened) as session:
        (row,) = [one for one in experiments.listed(opened, None, 100) if one.name == "four ways"] or [
            one for one in experiments.listed(opened, None, 100, archived=True) if one.name == "four ways"
        ]
        members = runs.of_experiment(session, row.id or 0)
        assert len({run.configuration for run in members}) == 2
        assert sorted(run.seed or 0 for run in members) == [1, 1, 2, 2]
        assert experiments.progress(row, members).state == "over", "launched today it would be the same runs"
        planned = experiments.ExperimentSpec(name="again", base=row.base, grid=row.grid).expand()
        assert experiments.already_run(session, planned) == [run.id for run in members]
    opened.dispose()


def test_the_best_epoch_s_weights_have_their_own_final_value(tmp_path: Path) -> None:
    path = made(SCHEMAS[-1], tmp_path)
    opened = open_database(path)
    with reading(opened) as session:
        keeping = [run for run in runs.succeeded(session) if stored.filled(run.spec)["keep"] == "best"]
        assert keeping
        for run in keeping:
            found = runs.summaries(session, [run.id or 0])[run.id or 0]
            kept = found["test/accuracy"].greatest_step
            points = series.read(session, run.id or 0, "test/loss")
            assert found["test/loss"].final == points.values[np.flatnonzero(points.steps == kept)[0]]
            assert found["test/accuracy"].final == found["test/accuracy"].greatest
    opened.dispose()


def test_what_matters_and_what_had_been_seen_before_are_known_of_old_runs(tmp_path: Path) -> None:
    opened = open_database(made(SCHEMAS[-1], tmp_path))
    with reading(opened) as session:
        by_name = {row.name: row for row in experiments.listed(opened, None, 100)}
        asked = by_name["a question"]
        assert (asked.smallest, "smallest" in (asked.question or {})) == (0.5, False)
        (again,) = runs.of_experiment(session, by_name["again"].id or 0)
        assert again.repeats is not None
        before = runs.get(session, again.repeats)
        assert (before.status, before.seed, before.configuration) == ("succeeded", again.seed, again.configuration)
        first = runs.of_experiment(session, before.experiment_id or 0)
        assert [run.repeats for run in first] == [None] * 4
    opened.dispose()


def test_a_migrated_database_has_the_columns_of_a_new_one(old: Path, tmp_path: Path) -> None:
    migrated, fresh = open_database(old), open_database(tmp_path / "fresh.db")

    def columns(of: object) -> dict[str, set[tuple[str, bool]]]:
        found = inspect(of)
        return {
            table: {(c["name"], c["nullable"]) for c in found.get_columns(table)} for table in found.get_table_names()
        }

    def indexes(of: object) -> dict[str, set[tuple[str | None, bool]]]:
        found = inspect(of)
        return {
            table: {(index["name"], bool(index["unique"])) for index in found.get_indexes(table)}
            for table in found.get_table_names()
        }

    assert columns(migrated) == columns(fresh)
    assert indexes(migrated) == indexes(fresh)
    migrated.dispose()
    fresh.dispose()


def test_a_database_from_a_newer_version_is_refused(tmp_path: Path) -> None:
    old = made(SCHEMAS[0], tmp_path)
    open_database(old).dispose()
    with sqlite3.connect(old) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match=r"made by a newer Runyard .* upgrade Runyard"):
        open_database(old)


def test_the_engine_knows_every_migration_and_each_has_a_database_of_before() -> None:
    files = sorted(path.name[:4] for path in Path(versions.__path__[0]).glob("0*.py"))
    assert tuple(files) == REVISIONS
    assert tuple(path.stem for path in SCHEMAS) == REVISIONS[:-1]


def test_a_stored_spec_without_a_knob_is_the_configuration_of_its_default() -> None:
    whole = catalog.MODELS["cnn"].knobs
    short = {"model": {"name": "cnn"}, "dataset": "digits", "optimizer": {"name": "sgd"}, "seed": 3}
    assert stored.filled(short)["model"] == {"name": "cnn", **{knob.name: knob.default for knob in whole}}
    assert stored.configuration(short) == stored.configuration(stored.filled(short))
    assert stored.configuration(short) != stored.configuration({**short, "batch_size": 32})
    assert stored.configuration(short) == stored.configuration({**short, "seed": 4, "device": "cpu"})


def test_a_spec_of_a_model_that_is_gone_is_read_as_it_was() -> None:
    gone = {"model": {"name": "gone", "width": 3}, "dataset": "gone-too", "optimizer": {"name": "sgd"}, "seed": 1}
    assert stored.filled(gone)["model"] == gone["model"]
    assert stored.configuration(gone) != stored.configuration({**gone, "model": {"name": "gone", "width": 4}})
