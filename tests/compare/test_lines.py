"""What the answer's instrument says: lines and a headline, each made to fit."""

import pytest

from app.compare import tree
from app.compare.facts import OVER, Plan
from app.compare.groups import Group
from app.compare.lines import LONGEST_HEADLINE, headline
from app.compare.measure import parse
from app.compare.verdict import Verdict
from app.compare.words import verdict
from tests.compare.test_words import groups_of, names_of, runs

BEFORE = [0.9482, 0.9444, 0.9421, 0.9380, 0.9481]
PLAN = Plan("running", 10, 2)


def said(groups: list[Group], plan: Plan = OVER) -> Verdict:
    return verdict(tree.make(groups, parse("test/accuracy"), plan), names_of(groups))


def lines(after: list[float | None], plan: Plan = OVER) -> tuple[str, str]:
    """Of one net whose pixels are shuffled."""
    (row,) = said(groups_of(runs(BEFORE), runs(after, pixel_order="shuffled")), plan).rows
    return row.lead, row.under


@pytest.mark.parametrize(
    ("shift", "lead", "under"),
    [
        (-0.14, "points worse shuffled", "mean 14.0; worse in 5 of 5 seeds"),
        (-0.006, "points worse shuffled", "too small to matter; worse in 5 of 5 seeds"),
        (0.05, "points better shuffled", "mean 5.0; better in 5 of 5 seeds"),
    ],
)
def test_a_line_leads_with_the_interval(shift: float, lead: str, under: str) -> None:
    noise = (0.0004, -0.0003, 0.0002, -0.0004, 0.0001)
    found = lines([value + shift + off for value, off in zip(BEFORE, noise, strict=True)])
    assert lead in found[0]
    assert found[1] == under


def test_what_is_open_says_what_would_tell() -> None:
    lead, under = lines([0.95, 0.93, 0.95, 0.935, 0.945])
    assert lead.startswith("open: from −")
    assert under.startswith("5 seeds can't tell")


def test_while_runs_are_to_come_a_line_has_plain_numbers_and_what_is_safe_to_look_at() -> None:
    few = lines([0.80, 0.81, None, None, None], PLAN)
    assert few == ("14.1 points lower shuffled so far", "safe to look at from seed 4 on; lower in 2 of 2 seeds")
    lead, under = lines([0.7989, 0.8078, 0.8026, 0.8295, None], PLAN)
    assert lead == "13.3 points lower shuffled so far"
    assert under.startswith("safe to look at: ")
    assert under.endswith(" lower; lower in 4 of 4 seeds")
    assert said(groups_of(runs(BEFORE), runs([None] * 5, pixel_order="shuffled")), PLAN).rows[0].lead.startswith("no ")


def test_a_headline_takes_as_many_clauses_as_fit() -> None:
    main = "shuffling the pixels cost the CNN between 9.2 and 19.4 points"
    assert headline(main, ["its effect on the FC net is small"]).endswith("; its effect on the FC net is small.")
    long = headline(main, ["its effect on the FC net is small", "for the ResNet it is open"])
    assert long == headline(main, ["its effect on the FC net is small"])
    assert len(long) <= LONGEST_HEADLINE + 1
    assert headline(main, []) == "Shuffling the pixels cost the CNN between 9.2 and 19.4 points."
