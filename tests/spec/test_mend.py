"""What is proposed for a run that diverged or learned nothing."""

from typing import Any

import pytest

from app.spec.mend import is_diverged, mend

NAN = "loss became NaN at step 5: choose a lower learning rate than 100.0"


def sgd(**knobs: float) -> dict[str, Any]:
    return {"optimizer": {"name": "sgd", "lr": 0.01, "momentum": 0.5, **knobs}}


@pytest.mark.parametrize(
    ("spec", "changes"),
    [
        (sgd(lr=100.0, momentum=0.99), {"optimizer.lr": 0.1, "optimizer.momentum": 0.9}),
        (sgd(lr=0.3), {"optimizer.lr": 0.03}),
        ({"optimizer": {"name": "adam", "lr": 1.0}}, {"optimizer.lr": 0.01}),
        ({"optimizer": {"name": "of a package that is gone", "lr": 7.0}}, {"optimizer.lr": 0.7}),
    ],
)
def test_steps_that_were_too_large_are_made_smaller(spec: dict[str, Any], changes: dict[str, float]) -> None:
    assert mend(spec, NAN, untrained=None) == changes
    assert mend(spec, None, untrained=True) == changes


def test_nothing_is_proposed_for_other_causes() -> None:
    assert mend(sgd(), "the worker process was killed", untrained=False) is None
    assert mend(sgd(), None, untrained=None) is None


def test_what_diverged_is_known_by_its_cause() -> None:
    causes = (NAN, "test loss became infinite at step 9", "validation loss became NaN at step 9")
    assert all(is_diverged(cause) for cause in causes)
    assert not is_diverged("the disk became full")
    assert not is_diverged(None)
