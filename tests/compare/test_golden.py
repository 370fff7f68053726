"""What `/compare` says of ten experiments, facts and sentences, as it is kept in golden/: a change of it is meant.

RUNYARD_GOLDEN=write python -m pytest tests/compare/test_golden.py writes them anew.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from app.compare import measure, tree
from app.compare.facts import OVER, WATCHED, Plan
from app.compare.groups import Group
from app.compare.words import verdict
from app.web.comparison import FactsOut
from tests.compare.test_words import CNN, CNN_SHUFFLED, FC, FC_SHUFFLED, four_ways, groups_of, names_of, runs

FOLDER = Path(__file__).parent / "golden"
LOSSES = [[0.452, 0.447, 0.460, 0.449, 0.455], [0.171, 0.169, 0.180, 0.166, 0.174]]
RATES: dict[float, list[Any]] = {
    0.001: [0.52, 0.55, 0.50],
    0.01: [0.86, 0.87, 0.85],
    0.1: [0.88, 0.87, 0.89],
    1.0: [0.10, "failed: loss became NaN at step 31: choose a lower learning rate than 1", 0.10],
}

EXPERIMENTS: dict[str, tuple[list[Group], Plan, str]] = {
    "four ways": (four_ways(), OVER, "test/accuracy"),
    "four ways while watched": (four_ways(), WATCHED, "test/accuracy"),
    "four ways with one seed": (four_ways(1), OVER, "test/accuracy"),
    "four ways half way": (
        groups_of(
            runs(FC[:2], model="fc"),
            runs([*FC_SHUFFLED[:1], None], model="fc", pixel_order="shuffled"),
            runs([*CNN[:1], None]),
            runs([None, None], pixel_order="shuffled"),
        ),
        Plan("running", 8, 4),
        "test/accuracy",
    ),
    "two nets by their loss": (
        groups_of(runs(LOSSES[0], model="fc"), runs(LOSSES[1])),
        OVER,
        "test/loss",
    ),
    "learning rates": (
        groups_of(*(runs(list(values), **{"optimizer.lr": rate}) for rate, values in RATES.items())),
        OVER,
        "test/accuracy",
    ),
    "seeds that don't match": (
        groups_of(runs(CNN, first_seed=1), runs(CNN_SHUFFLED, first_seed=11, pixel_order="shuffled")),
        OVER,
        "test/accuracy",
    ),
    "exactly the same": (
        groups_of(runs([0.5] * 4, batch_size=64), runs([0.5] * 4, batch_size=128)),
        OVER,
        "test/accuracy",
    ),
    "one configuration": (groups_of(runs(CNN)), OVER, "test/accuracy"),
    "nothing has finished": (
        groups_of(runs([None, None]), runs([None], model="fc")),
        Plan("running", 3, 3),
        "test/accuracy",
    ),
}


def rounded(value: Any) -> Any:
    """Numbers to nine digits: the last ones are the processor's."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, list) else value


def told(groups: list[Group], plan: Plan, of: str) -> dict[str, Any]:
    known = tree.make(groups, measure.parse(of), plan)
    said = verdict(known, names_of(groups))
    rows = [
        {
            "name": row.name,
            "figures": [one.mean if one else None for one in (row.first, row.second)],
            "lines": [row.lead, row.under],
        }
        for row in said.rows
    ]
    words = {"sentences": said.sentences, "note": said.note, "heads": list(said.heads), "rows": rows}
    words |= {"title": said.title, "compared": said.compared, "sureness": said.sureness}
    found: dict[str, Any] = rounded({"facts": FactsOut.of(known, said).model_dump(mode="json"), "verdict": words})
    return found


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_what_is_said_is_what_was_said(name: str) -> None:
    path = FOLDER / f"{name.replace(' ', '-').replace(chr(39), '')}.json"
    found = told(*EXPERIMENTS[name])
    if os.environ.get("RUNYARD_GOLDEN") == "write":
        FOLDER.mkdir(exist_ok=True)
        path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    assert found == json.loads(path.read_text())


def test_every_golden_answer_is_asked_for() -> None:
    names = {name.replace(" ", "-").replace("'", "") for name in EXPERIMENTS}
    assert {path.stem for path in FOLDER.glob("*.json")} == names
