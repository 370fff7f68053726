"""The plan of a launch: its runs, and the order in which they go."""

from collections import Counter

import pytest

from app.spec.experiment import ExperimentSpec
from app.spec.plan import Plan, turns

FOUR_WAYS = {"model": ["fc", "cnn"], "pixel_order": ["original", "shuffled"], "seed": [5, 1, 2, 3, 4]}


@pytest.fixture(scope="module")
def plan() -> Plan:
    return Plan.of(ExperimentSpec(name="four ways", grid=FOUR_WAYS))


def test_a_plan_knows_its_configurations_and_seeds(plan: Plan) -> None:
    assert (len(plan.specs), len(plan.configurations), plan.seeds) == (20, 4, 5)
    assert [spec.seed for spec in plan.specs[:5]] == [5, 1, 2, 3, 4], "listed as the grid has them"


@pytest.mark.parametrize("experiment", [1, 2, 77])
def test_after_each_four_runs_every_configuration_has_one_seed_more(plan: Plan, experiment: int) -> None:
    order = sorted(range(20), key=lambda place: turns(plan.specs, experiment)[place])
    assert sorted(turns(plan.specs, experiment)) == list(range(0, 40, 2))
    assert [plan.specs[place].seed for place in order] == [seed for seed in (5, 1, 2, 3, 4) for _ in range(4)]
    for first in range(0, 20, 4):
        of_seed = [plan.specs[place] for place in order[first : first + 4]]
        assert len({(spec.model.name, spec.pixel_order) for spec in of_seed}) == 4


def test_no_configuration_always_comes_first_and_the_same_experiment_has_the_same_order(plan: Plan) -> None:
    firsts: Counter[str] = Counter()
    for experiment in range(1, 201):
        drawn = turns(plan.specs, experiment)
        assert drawn == turns(plan.specs, experiment)
        first = plan.specs[drawn.index(0)]
        firsts[f"{first.model.name} {first.pixel_order}"] += 1
    assert min(firsts.values()) > 25, firsts  # 50 expected, of 200


def test_base_takes_knobs_by_path() -> None:
    nested = ExperimentSpec(
        name="x", base={"optimizer": {"name": "sgd", "lr": 0.1}, "model": {"name": "fc", "n_hidden": 9}}
    )
    by_path = ExperimentSpec(
        name="x", base={"model.n_hidden": 9, "optimizer.lr": 0.1, "model": "fc", "optimizer": "sgd"}
    )
    assert nested.expand() == by_path.expand()
