"""What compared runs ran on: what is told of it, and when it is a caution."""

import pytest

from app.compare import ran
from app.compare.measure import parse

NEW = {"torch": "2.14.1", "runyard": "0.1.0", "precision": "float32", "device_title": "x86_64", "host": "a"}
OLD = {**NEW, "torch": "2.13.0"}
ELSEWHERE = {**NEW, "host": "b"}


def test_the_same_everywhere_is_not_told() -> None:
    assert ran.differing([[NEW, NEW], [NEW]], []) == []
    assert ran.differing([[NEW], []], []) == []
    assert ran.differing([], []) == []


def test_what_both_configurations_have_some_of_is_told_and_is_no_caution() -> None:
    found = ran.differing([[NEW, OLD], [OLD, NEW]], [])
    assert found == [ran.Ran("torch", ("2.14.1", "2.13.0"), apart=False)]
    assert ran.caution(found, parse("test/accuracy")) == ""


def test_what_goes_along_with_the_configuration_is_a_caution() -> None:
    found = ran.differing([[NEW, NEW], [OLD]], [])
    assert ran.caution(found, parse("test/accuracy")) == (
        "Configurations ran with different PyTorch (2.14.1, 2.13.0): that may be part of a difference."
    )
    assert ran.differing([[NEW], [NEW, OLD], [OLD]], [])[0].apart, "some two of three"


@pytest.mark.parametrize(("measure", "cautious"), [("test/accuracy", False), ("seconds", True)])
def test_another_machine_matters_for_how_long_it_took(measure: str, cautious: bool) -> None:
    found = ran.differing([[NEW], [ELSEWHERE]], [])
    assert [one.title for one in found] == ["Machine"]
    assert bool(ran.caution(found, parse(measure))) == cautious


def test_a_knob_that_is_compared_is_not_told_twice_and_what_was_not_noted_is_nothing() -> None:
    half = {**NEW, "precision": "bfloat16"}
    assert [one.key for one in ran.differing([[NEW], [half]], [])] == ["precision"]
    assert ran.differing([[NEW], [half]], ["precision"]) == []
    before = {key: value for key, value in NEW.items() if key != "runyard"}  # of an attempt before it was noted
    assert ran.differing([[NEW], [before]], []) == []


def test_a_gpu_s_software_is_told_and_is_a_caution() -> None:
    card = {**NEW, "device_title": "a card", "cuda": "13.0", "cudnn": "92400", "driver": "580.1"}
    found = ran.differing([[card], [{**card, "cudnn": "91900"}], [{**card, "driver": "590.1"}]], [])
    assert [one.title for one in found] == ["cuDNN", "NVIDIA driver"]
    assert "cuDNN (92400, 91900)" in ran.caution(found, parse("test/accuracy"))
    assert "NVIDIA driver" not in ran.caution(found, parse("test/accuracy"))
    assert "NVIDIA driver (580.1, 590.1)" in ran.caution(found, parse("seconds"))
