"""By simulation: pages don't contradict themselves, and keep their promise (more of them: `make peeking`)."""

from collections import Counter
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from app.compare import facts, sequence, simulation, tree
from app.compare.facts import OVER, WATCHED
from app.compare.simulation import ACCURACY, WEIGHTS, Shape, answered, contradictions, draws, fixed, four_ways, watched
from app.compare.words import verdict
from tests.compare.test_words import names_of

EXPERIMENTS = 2000


def test_no_page_of_five_hundred_contradicts_itself_and_each_decision_and_reason_is_met() -> None:
    decisions: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for groups, measure, plan, smallest in simulation.experiments(500):
        known = tree.make(groups, measure, plan, smallest)
        assert contradictions(known, verdict(known, names_of(list(groups)))) == []
        decisions.update(one.decision for one in known.contrasts)
        reasons.update(one.why for one in known.left_out)
    assert set(decisions) == set(get_args(facts.Decision))
    assert set(reasons) == set(get_args(facts.Why))


def test_a_page_that_contradicts_itself_is_found_out() -> None:
    groups = four_ways(np.array([[0.90, 0.91, 0.92], [0.80, 0.82, 0.81], [0.95, 0.94, 0.96], [0.7, 0.72, 0.71]]))
    known = tree.make(groups, ACCURACY, OVER)
    said = verdict(known, names_of(list(groups)))
    assert contradictions(known, said) == []
    first = known.contrasts[0]
    assert first.judged is not None
    beyond = replace(first, judged=replace(first.judged, value=0.5))
    assert "0.5 is not within" in contradictions(_with(known, beyond), said)[0]
    undecided = replace(first, decision="open")
    assert any("open, and 0 is not in" in words for words in contradictions(_with(known, undecided), said))
    row = said.rows[0]
    assert row.first is not None
    shifted = replace(said, rows=[replace(row, first=row.first._replace(mean=row.first.mean + 0.01))])
    assert "is not" in contradictions(known, shifted)[0]
    early = replace(known, plan=facts.Plan("running", 12, 1))
    assert "a plan that is not over has a verdict" in contradictions(early, said)[-1]


def _with(known: facts.Facts, contrast: facts.Contrast) -> facts.Facts:
    assert isinstance(known.answer, facts.Changes)
    at = known.answer.order[0]
    contrasts = tuple(contrast if place == at else one for place, one in enumerate(known.answer.contrasts))
    return replace(known, answer=replace(known.answer, contrasts=contrasts))


def test_of_a_fixed_plan_some_claim_is_made_without_a_difference_in_five_of_a_hundred() -> None:
    found = fixed(EXPERIMENTS)
    assert found.claimed <= 0.06
    assert found.covered >= 0.94


def test_whoever_looks_after_every_seed_meets_no_more() -> None:
    found = watched(EXPERIMENTS)
    assert found.claimed <= 0.06
    assert found.covered >= 0.94


@pytest.mark.parametrize("seeds", [4, 5, 9, 14])
def test_the_page_shows_the_interval_that_was_simulated(seeds: int) -> None:
    for values in draws("gaussian", (25, 4, seeds), np.random.default_rng(seeds)):
        known = tree.make(four_ways(0.5 + 0.01 * values), ACCURACY, WATCHED)
        order = {one.kind + str([side.group for side in one.sides]): one for one in known.contrasts}
        for weights in WEIGHTS:
            places = [at for at, weight in enumerate(weights) if weight]
            kind = "interaction" if len(places) == 4 else "change" if places in ([0, 1], [2, 3]) else "pair"
            judged = order[kind + str(places)].judged
            looks = sequence.looks(0.01 * np.asarray(weights) @ values, bound=100.0)
            assert judged is not None
            if seeds < 5:
                assert judged.low is None
            else:
                assert judged.low == pytest.approx(max(looks.low[-1], -sum(map(abs, weights)) / 2))


@pytest.mark.parametrize("plan", [OVER, WATCHED], ids=["fixed", "watched"])
def test_no_sentence_contradicts_its_interval_where_one_run_in_twenty_diverges(plan: facts.Plan) -> None:
    for values in draws("diverging", (150, 4, 12), np.random.default_rng(3)):
        groups = four_ways(np.clip(0.9 + 0.01 * values, 0.1, 1))
        known = tree.make(groups, ACCURACY, plan)
        assert contradictions(known, verdict(known, names_of(list(groups)))) == []


@pytest.mark.parametrize(("shape", "least"), [("gaussian", 0.98), ("diverging", 0.90)])
def test_two_deviations_are_answered_within_twenty_seeds(shape: Shape, least: float) -> None:
    assert answered(EXPERIMENTS, 2.0, shape=shape) > least


def test_where_it_breaks() -> None:
    """Figures of docs/how-sure.md."""
    assert simulation.false_alarms(EXPERIMENTS, 10, "skewed").both <= 0.06
    assert simulation.false_alarms(EXPERIMENTS, 20, "rare failures").one > 0.5
    assert simulation.could_still_fail(5) == pytest.approx(0.45, abs=0.005)
    assert simulation.could_still_fail(20) == pytest.approx(0.14, abs=0.005)
