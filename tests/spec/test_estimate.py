"""How long runs will take, by those that were like them."""

import pytest

from app.spec.estimate import Past, rates, seconds_a_step
from trainer.paths import flat
from trainer.spec import parse


def knobs(**given: object) -> dict[str, object]:
    return flat(parse({"dataset": "digits", **given}).to_json())


def past(seconds: float, device: str = "cpu", steps: int = 100, **given: object) -> Past:
    return Past(knobs(**given), device, steps, seconds)


def test_the_estimate_is_the_median_of_runs_that_cost_the_same() -> None:
    before = [past(1.0), past(2.0, seed=2, pixel_order="shuffled"), past(9.0, epochs=7, optimizer={"lr": 0.5})]
    assert seconds_a_step(knobs(seed=5), "cpu", rates(before)) == 0.02


@pytest.mark.parametrize(
    "other",
    [{"model": "fc"}, {"batch_size": 32}, {"model": {"name": "cnn", "n_features": 8}}, {"dataset": "mnist"}],
    ids=str,
)
def test_runs_of_another_cost_say_nothing(other: dict[str, object]) -> None:
    assert seconds_a_step(knobs(), "cpu", rates([past(1.0, **other)])) is None


def test_devices_of_another_kind_say_nothing_and_of_the_same_kind_do() -> None:
    before = [past(1.0, device="cuda:1")]
    assert seconds_a_step(knobs(), "cpu", rates(before)) is None
    assert seconds_a_step(knobs(), "cuda:0", rates(before)) == 0.01


def test_a_run_without_steps_is_left_out() -> None:
    assert seconds_a_step(knobs(), "cpu", rates([past(1.0, steps=0)])) is None
