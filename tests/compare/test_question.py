"""When a question is settled, and how that is said."""

import numpy as np
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
        "Yes. Shuffling the pixels cost the CNN between 9.3 and 18.3 points of test accuracy.",
        "From 6 seed sets: mean 13.8; worse in 6 of 6 seeds. Settled after 4; 2 more ran on and count as well.",
    ]


def test_no_difference_that_matters_is_settled_when_all_that_fits_is_small() -> None:
    found = of(0.001, -0.001, 0.0005, 0.0, -0.0008, 0.001)
    assert (found.answer, found.settled_after) == ("no difference", 4)
    assert said(found, CNN, 0.01, "answered", 20)[0] == (
        "No difference that matters: shuffling the pixels changed the test accuracy of the CNN by −0.17 to "
        "+0.19 points, "
        "all of it within ± 1 point."
    )
    real = of(0.004, 0.0041, 0.0043, 0.0042, 0.0041, 0.0044)
    assert real.answer == "no difference"
    assert said(real, CNN, 0.01, "answered", 20)[0] == (
        "No difference that matters: shuffling the pixels brought the CNN between 0.39 and 0.45 points of "
        "test accuracy, "
        "all of it within ± 1 point."
    )
    assert of(0.001, -0.001, 0.0005, 0.0, smallest=0.001).answer == "open"


def test_what_is_open_says_what_still_fits_and_what_would_settle_it() -> None:
    found = of(0.0075, -0.0058, 0.0169, -0.0038, 0.0114)
    assert found.answer == "open"
    assert found.needed
    assert found.needed > 20
    seen = "From 5 seed sets: mean +0.5; better in 3 of 5 seeds."
    assert said(found, CNN, 0.01, "asking", 20) == [
        "Not settled yet: shuffling the pixels changed the test accuracy of the CNN by anything from −2.2 to "
        "+3.3 points.",
        f"{seen} Asking goes on, to at most 20 seed sets.",
    ]
    head, why = said(found, CNN, 0.01, "spent", 5)
    assert head.startswith("Not settled: ")
    assert why == (
        f"{seen} The budget is spent. About {found.needed} would settle it, if mean and spread stay as they are."
    )


def test_a_difference_that_may_be_too_small_to_matter_is_said_to_be() -> None:
    found = of(0.011, 0.014, 0.009, 0.012, 0.013, 0.010)
    assert found.answer == "difference"
    assert said(found, CNN, 0.01, "answered", 20)[0] == (
        "Yes. Shuffling the pixels brought the CNN between 0.8 and 1.5 points of test accuracy, which may be "
        "too small to "
        "matter."
    )


def test_sets_that_contradict_each_other_are_no_answer() -> None:
    """Seen: a mean of 8.4 points, said to lie between 0.35 and 0.48."""
    random = np.random.default_rng(1)
    found = of(*random.normal(0, 0.001, 8), *random.normal(0.3, 0.001, 60))
    assert (found.answer, found.low, found.high) == ("unfit", None, None)
    assert said(found, CNN, 0.01, "answered", 100)[0] == (
        "No answer: no single difference fits the sets, they contradict each other."
    )
    far = of(*CLEAR, -0.125, 0.7, -0.13, -0.128)
    assert (far.answer, far.centre) == ("difference", "median")
    assert far.low is not None
    assert far.high is not None
    assert far.low <= far.value <= far.high < 0
    assert "median 12.7; worse in 9 of 10 seeds; seed 8 lies far off, +70.0" in said(far, CNN, 0.01, "answered", 20)[1]


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
        "No: shuffling the pixels changed the test accuracy of the CNN by −18.3 to −9.3 points against the FC net."
    )
    assert said(of(*CLEAR), LOSS, 0.01, "answered", 20)[0] == (
        "Yes. Learning rate 0.1 instead of 0.01 lowered the test loss by 0.093 to 0.183."
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_seeds": 3},
        {"smallest": -1},
        {"measure": "test/accuracy.mean"},
        {"max_hours": 0},
        {"kind": "worst"},
        {"a": 1},
    ],
    ids=str,
)
def test_a_question_that_can_not_be_asked_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Question(**{"knobs": ["model"], **wrong})  # type: ignore[arg-type]
