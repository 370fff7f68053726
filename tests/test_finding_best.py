"""Finding the best of a grid, on a real database, turn by turn."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlmodel import col, update

from app.asking import best, cells, questions
from app.asking.questions import Asker
from app.compare.question import Question
from app.spec.experiment import ExperimentSpec, RandomSearch
from app.store import experiments, runs, series
from app.store.engine import open_database, reading, writing
from app.store.series import Point
from app.store.tables import Run, Status, now
from trainer.spec import SpecError

RATES = [0.001, 0.01, 0.03, 0.1]


class Search:
    """An experiment that looks for the best, whose runs end with values that are drawn."""

    def __init__(self, home: Path, means: list[float], smallest: float | None = None, **question: Any) -> None:
        self.asker = Asker(open_database(home / "runyard.db"))
        self.means, self.random = means, np.random.default_rng(1)
        asked = Question(kind="best", **{"max_seeds": 30, **question})
        grid = {"optimizer.lr": RATES[: len(means)]}
        row, self.first = questions.launch(self.asker.engine, "best", {"model": "fc"}, grid, asked, smallest=smallest)
        self.id = row.id or 0

    def runs(self) -> list[Run]:
        with reading(self.asker.engine) as session:
            return runs.of_experiment(session, self.id)

    def seeds(self, place: int) -> list[int | None]:
        return sorted(run.seed for run in self.runs() if run.spec["optimizer"]["lr"] == RATES[place])  # type: ignore[type-var]

    def end(self, **ended: Any) -> None:
        """All that are queued, with values around their means unless something else is said."""
        of_seed = {seed: 0.01 * np.random.default_rng(seed).normal() for seed in range(200)}
        with writing(self.asker.engine) as session:
            for run in runs.of_experiment(session, self.id):
                if run.status != Status.QUEUED:
                    continue
                place = RATES.index(run.spec["optimizer"]["lr"])
                value = self.means[place] + of_seed[run.seed or 0] + 0.002 * self.random.normal()
                series.append(session, run.id or 0, [Point("test/accuracy", 1, 0.1, value)])
                done = {"status": Status.SUCCEEDED, "ended_at": now(), "changed": session.change, **ended}
                session.execute(update(Run).where(col(Run.id) == run.id).values(**done))

    def race(self) -> best.Race:
        with reading(self.asker.engine) as session:
            return best.read(session, experiments.get(session, self.id))

    def state(self) -> str | None:
        with reading(self.asker.engine) as session:
            return experiments.get(session, self.id).asking

    def run_to_the_end(self, rounds: int = 100) -> None:
        for _ in range(rounds):
            self.end()
            self.asker = Asker(self.asker.engine)  # a server that was restarted knows no more than the database
            if not self.asker.go_on(slots=2) and self.state() != "asking":
                return
        raise AssertionError(f"it has not ended after {rounds} rounds: {self.race().looking}")


def test_those_that_are_ruled_out_run_no_more_and_the_best_is_left(tmp_path: Path) -> None:
    search = Search(tmp_path, [0.70, 0.85, 0.93, 0.95])
    assert [run.seed for run in search.first] == [1, 1, 1, 1, 2, 2, 2, 2]
    search.run_to_the_end()
    assert search.state() == "answered"
    race = search.race()
    assert (race.end, race.left) == ("one", (3,))
    assert race.decisions[0] == ("ruled out", "behind")
    full = len(RATES) * race.question.max_seeds
    assert len(search.runs()) < full / 2, "what the whole grid with all seeds would have been"
    assert race.looking.least <= race.seeds < 20


def test_they_drop_out_one_by_one_and_seeds_stay_matched(tmp_path: Path) -> None:
    search = Search(tmp_path, [0.70, 0.945, 0.948, 0.95], smallest=0.0)
    search.run_to_the_end()
    first, second, third, last = map(search.seeds, range(4))
    assert len(first) < len(second) <= len(third) <= len(last)
    assert last == list(range(1, len(last) + 1))
    assert third == last[: len(third)]


def test_it_ends_where_all_that_are_left_are_alike(tmp_path: Path) -> None:
    search = Search(tmp_path, [0.70, 0.95, 0.9501, 0.95], smallest=0.01)
    search.run_to_the_end()
    race = search.race()
    assert (search.state(), race.end, race.left) == ("answered", "alike", (1, 2, 3))
    questions.keep_asking(search.asker.engine, search.id)
    before = len(search.runs())
    assert search.asker.go_on(slots=2), "on request it goes on to the end of its budget"
    assert len(search.runs()) == before + 3


def test_one_with_two_failed_runs_is_out_and_one_that_learned_nothing_too(tmp_path: Path) -> None:
    search = Search(tmp_path, [0.9, 0.92, 0.95, 0.95])
    failed = {"status": Status.FAILED, "cause": "loss became NaN", "ended_at": now()}
    with writing(search.asker.engine) as session:
        for run in runs.of_experiment(session, search.id):
            change = {RATES[3]: failed, RATES[0]: {"untrained": True}}.get(run.spec["optimizer"]["lr"])
            if change:
                session.execute(update(Run).where(col(Run.id) == run.id).values(**change, changed=session.change))
    search.end()
    race = search.race()
    assert race.decisions[0] == ("ruled out", "untrained")
    assert race.decisions[3] == ("ruled out", "failing")
    assert race.left == (1, 2)
    assert search.asker.go_on(slots=2)
    assert (search.seeds(0), search.seeds(1), search.seeds(3)) == ([1, 2], [1, 2, 3], [1, 2])
    search.run_to_the_end()
    assert search.race().left == (2,)


def test_one_whose_runs_have_not_got_what_is_compared_is_out(tmp_path: Path) -> None:
    search = Search(tmp_path, [0.7, 0.9], measure="validation/accuracy")
    search.end()
    race = search.race()
    assert set(race.decisions) == {("ruled out", "no value")}
    assert not search.asker.go_on(slots=2)
    assert search.state() == "failed"


def test_where_all_fail_nobody_is_left(tmp_path: Path) -> None:
    search = Search(tmp_path, [0.9, 0.9, 0.9])
    search.end(status=Status.FAILED, cause="loss became NaN")
    search.asker.go_on(slots=2)
    assert (search.state(), search.race().left) == ("failed", ())
    with pytest.raises(SpecError, match="relaunch some"):
        questions.keep_asking(search.asker.engine, search.id)


def test_the_budget_of_runs_ends_it_and_can_be_raised(tmp_path: Path) -> None:
    search = Search(tmp_path, [0.950, 0.9502, 0.9501, 0.9499], smallest=0.0, max_runs=30)
    search.run_to_the_end()
    assert (search.state(), len(search.runs())) == ("spent", 28)
    with pytest.raises(SpecError, match=r"is used up \(7 of 30 seeds, 28 runs"):
        questions.keep_asking(search.asker.engine, search.id)
    questions.change(search.asker.engine, search.id, max_runs=60)
    assert search.asker.go_on(slots=2)
    assert len(search.runs()) == 32


def test_it_waits_while_a_run_is_paused_and_when_the_hours_are_used_up(tmp_path: Path) -> None:
    search = Search(tmp_path, [0.950, 0.9502, 0.9501], smallest=0.0, max_hours=1.0)
    paused = search.first[0].id
    with writing(search.asker.engine) as session:
        session.execute(update(Run).where(col(Run.id) == paused).values(status=Status.PAUSED, changed=session.change))
    search.end()
    assert not search.asker.go_on(slots=8)
    with writing(search.asker.engine) as session:
        done = {"status": Status.SUCCEEDED, "seconds": 4000.0, "changed": session.change}
        session.execute(update(Run).where(col(Run.id) == paused).values(**done))
    assert not search.asker.go_on(slots=8)
    assert search.state() == "spent"


@pytest.mark.parametrize(
    ("grid", "question", "words"),
    [
        ({}, {}, "the grid has one configuration"),
        ({"optimizer.lr": [0.1]}, {}, "the grid has one configuration"),
        ({"dataset": ["mnist", "digits"]}, {}, "figures on different data sets are not compared"),
        ({"optimizer.lr": RATES}, {"knobs": ["optimizer.lr"]}, "leave out knobs"),
        ({"optimizer.lr": RATES}, {"measure": "train/loss.steps_to=0.1"}, "some may never get there"),
        ({"optimizer.lr": RATES}, {"candidates": [{}, {"epochs": 2}]}, "leave only seeds in the grid"),
        ({}, {"candidates": [{"epochs": 2}, {}, {"epochs": 2}]}, "1 and 3 are the same configuration"),
        ({"optimizer.lr": RATES}, {"max_seeds": 4}, "none can be ruled out with fewer than"),
        ({"optimizer.lr": RATES}, {"max_runs": 7}, "the first 2 seeds of 4 configurations are 8 runs"),
        ({"optimizer.lr": RATES, "batch_size": [*range(1, 100)]}, {}, "leave out configurations"),
    ],
)
def test_what_can_not_be_asked_says_why(grid: dict[str, list[Any]], question: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        cells.plan({"model": "fc"}, grid, Question(kind="best", **question))


def test_the_images_held_out_decide_where_all_have_such() -> None:
    held = {"model": "fc", "validation": 100}
    grid = {"optimizer.lr": RATES}

    def measure(base: dict[str, Any], grid: dict[str, list[Any]], **question: Any) -> str:
        asked = Question(kind="best", **question)
        return cells.judged_by(asked, cells.cells(base, grid, asked)).measure

    assert measure(held, grid) == "validation/accuracy"
    assert measure(held, grid, measure="test/accuracy") == "test/accuracy", "somebody said so"
    assert measure({"model": "fc"}, grid) == "test/accuracy"
    assert measure({"model": "fc"}, {**grid, "validation": [0, 100]}) == "test/accuracy"


def test_values_that_are_added_catch_up_and_asking_goes_on(tmp_path: Path) -> None:
    search = Search(tmp_path, [0.70, 0.85, 0.93])
    search.run_to_the_end()
    assert search.race().left == (2,)
    ran = search.seeds(2)
    search.means.append(0.97)
    made = questions.add_values(search.asker.engine, search.id, {"optimizer.lr": [0.1, 0.03]})
    assert (len(made), search.state()) == (2, "asking")
    search.run_to_the_end()
    race = search.race()
    assert (search.state(), race.end, race.left) == ("answered", "one", (3,))
    assert search.seeds(3)[: len(ran)] == ran, "the seeds that the others ran, so that they are matched"
    with pytest.raises(SpecError, match=r"is no knob of the grid: choose optimizer\.lr"):
        questions.add_values(search.asker.engine, search.id, {"batch_size": [32]})


def test_the_winner_of_a_search_is_confirmed_with_seeds_that_nobody_used(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "runyard.db")
    ranges = {"optimizer.lr": {"low": 0.001, "high": 1.0, "log": True}, "batch_size": {"low": 20, "high": 200}}
    search = RandomSearch.model_validate({"count": 6, "ranges": ranges})
    base = {"model": "fc", "pixel_order": "shuffled"}
    row, made = experiments.create(engine, ExperimentSpec(name="drawn", base=base, grid={"seed": [4]}, random=search))
    with pytest.raises(SpecError, match="wait until its runs have ended"):
        questions.confirm(engine, row.id or 0, 30)
    with writing(engine) as session:
        for at, run in enumerate(made):
            series.append(session, run.id or 0, [Point("test/accuracy", 1, 0.1, 0.7 + 0.01 * at)])
            done = {"status": Status.SUCCEEDED, "ended_at": now(), "changed": session.change}
            session.execute(update(Run).where(col(Run.id) == run.id).values(**done))
    confirming, queued = questions.confirm(engine, row.id or 0, 30)
    assert (confirming.name, confirming.asking) == ("Confirming drawn", "asking")
    assert sorted({run.seed for run in queued}) == [5, 6]
    specs = [run.spec for run in queued if run.seed == 5]

    def knobs(spec: dict[str, Any]) -> tuple[float, int, str]:
        return spec["optimizer"]["lr"], spec["batch_size"], spec["pixel_order"]

    best, runner_up = (knobs(made[at].spec) for at in (-1, -2))
    assert {knobs(spec) for spec in specs} == {best, runner_up, (0.01, 64, "shuffled")}
    with pytest.raises(SpecError, match="named one by one"):
        questions.add_values(engine, confirming.id or 0, {"optimizer.lr": [0.5]})


def test_who_learned_nothing_is_not_among_those_that_the_evidence_is_shared_by(tmp_path: Path) -> None:
    search = Search(tmp_path, [0.1, 0.12, 0.93, 0.95])
    before = search.race().looking.least
    with writing(search.asker.engine) as session:
        for run in runs.of_experiment(session, search.id):
            if run.spec["optimizer"]["lr"] in RATES[:2]:
                change = {"untrained": True, "changed": session.change}
                session.execute(update(Run).where(col(Run.id) == run.id).values(**change))
    search.end()
    looking = search.race().looking
    assert (looking.left, looking.candidates) == (2, 4)
    assert looking.least < before, "one pair is left to be judged, not six"
