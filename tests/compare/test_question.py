"""When a question is settled, and how that is said."""

import pytest
from pydantic import ValidationError

from app.compare import measure
from app.compare.question import Outcome, Question, Words, asked, outcome, said

CNN = Words("shuffling the pixels", "the CNN", "", measure.parse("test/accuracy"))
BOTH = Words("shuffling the pixels", "the CNN", "the FC net", measure.parse("test/accuracy"))
LOSS = Words("learning rate 0.1 instead of 0.01", "", "", measure.parse("test/loss"))
CLEAR = [-0.1246, -0.1494, -0.1203, -0.1779, -0.1267, -0.1291]


def of(*values: float, smallest: float = 0.01) -> Outcome:
    return outcome(dict(enumerate(values, 1)), smallest)


def test_a_difference_is_settled_when_nought_is_outside() -> None:
    found = of(*CLEAR)
    assert (found.answer, found.settled_after, found.n, found.needed) == ("difference", 4, 6, None)
    assert said(found, CNN, 0.01, "answered", 20) == [
        "Yes. Shuffling the pixels cost the CNN 13.8 points of test accuracy.",
        "The difference lies between −18.0 and −9.6 points, from 6 seed sets. "
        "Settled after 4; 2 more ran on and count as well.",
    ]


def test_no_difference_that_matters_is_settled_when_all_that_fits_is_small() -> None:
    found = of(0.001, -0.001, 0.0005, 0.0, -0.0008, 0.001)
    assert (found.answer, found.settled_after) == ("no difference", 4)
    assert said(found, CNN, 0.01, "answered", 20)[0] == (
        "No difference that matters: shuffling the pixels changed the test accuracy of the CNN by +0.01 points."
    )
    assert of(0.001, -0.001, 0.0005, 0.0, smallest=0.001).answer == "open"


def test_what_is_open_says_what_still_fits_and_what_would_settle_it() -> None:
    found = of(0.0075, -0.0058, 0.0169, -0.0038, 0.0114)
    assert found.answer == "open"
    assert found.needed
    assert found.needed > 20
    assert said(found, CNN, 0.01, "asking", 20) == [
        "Not settled yet: shuffling the pixels changed the test accuracy of the CNN by +0.52 points, "
        "and anything from −1.8 to +2.9 still fits.",
        "Asking goes on: 5 of at most 20 seed sets are done.",
    ]
    head, why = said(found, CNN, 0.01, "spent", 5)
    assert head.startswith("Not settled: ")
    assert why == (
        f"The budget is spent, after 5 seed sets. About {found.needed} would settle it, "
        "if mean and spread stay as they are."
    )


def test_three_seeds_settle_nothing() -> None:
    assert of(*CLEAR[:3]).answer == "open"
    assert said(of(*CLEAR[:3]), CNN, 0.01, "asking", 20) == [
        "Too early to say.",
        "Three seeds can never settle it: 3 of at least 4 seed sets are done.",
    ]
    assert said(of(), CNN, 0.01, "stopped", 20)[0] == "Not answered."


def test_differences_that_are_all_the_same_are_said_to_be() -> None:
    equal = of(0.0, 0.0, 0.0, 0.0)
    assert equal.answer == "no difference"
    assert said(equal, CNN, 0.01, "answered", 20) == [
        "Equal: shuffling the pixels gave the same test accuracy of the CNN in 4 of 4 seeds.",
        "Not one seed set differs. Settled after 4.",
    ]
    assert said(equal, BOTH, 0.01, "answered", 20)[0] == (
        "Equal: shuffling the pixels changed the test accuracy of the CNN exactly as that of the FC net "
        "in 4 of 4 seeds."
    )
    head, _ = said(of(0.02, 0.02, 0.02, 0.02), CNN, 0.01, "asking", 20)
    assert head == "Nothing to judge chance by: the difference was the same to the last digit every time."


def test_an_interaction_and_a_loss_have_their_own_words() -> None:
    assert asked(CNN) == "Does shuffling the pixels change the test accuracy of the CNN?"
    assert asked(BOTH) == (
        "Does shuffling the pixels change the test accuracy of the CNN as it changes that of the FC net?"
    )
    assert said(of(*CLEAR), BOTH, 0.01, "answered", 20)[0] == (
        "No: shuffling the pixels changed the test accuracy of the CNN by −13.8 points against the FC net."
    )
    assert said(of(*CLEAR), LOSS, 0.01, "answered", 20)[0] == (
        "Yes. Learning rate 0.1 instead of 0.01 lowered the test loss by 0.138."
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_seeds": 3},
        {"smallest": -1},
        {"measure": "test/accuracy.mean"},
        {"max_hours": 0},
        {"kind": "best"},
        {"a": 1},
    ],
    ids=str,
)
def test_a_question_that_can_not_be_asked_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Question(**{"knobs": ["model"], **wrong})  # type: ignore[arg-type]
