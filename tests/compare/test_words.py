"""What is claimed, what is not, and what would tell."""

from typing import Any

import numpy as np
import pytest

from app.compare import design, facts, measure
from app.compare.groups import Group, Member, differing, grouped
from app.compare.words import Verdict, Words, verdict
from app.web.titles import change_title, configuration_title, subject_title, value_title

KNOBS = {"model": "cnn", "pixel_order": "original", "dataset": "mnist", "optimizer.lr": 0.01, "device": "auto"}


def runs(values: list[Any], first_seed: int = 1, **knobs: Any) -> list[dict[str, Any]]:
    return [{"value": value, **KNOBS, **knobs, "seed": first_seed + index} for index, value in enumerate(values)]


def groups_of(*configurations: list[dict[str, Any]]) -> list[Group]:
    """Finished runs; a value of None is a run that has not finished, a text how one ended: `failed: its cause`.

    A seed's runs end one after another.
    """
    members = []
    for knobs in (one for configuration in configurations for one in configuration):
        value, cause = knobs.pop("value"), None
        done = "running" if value is None else "succeeded"
        if value == "none":  # it has finished, without what is compared
            value = None
            done = "succeeded"
        elif isinstance(value, str):
            (done, _, cause), value = value.partition(": "), None
        of_all = str({path: knob for path, knob in knobs.items() if path != "seed"})
        members.append(Member(len(members) + 1, done, of_all, knobs, {}, {}, {}, value, float(knobs["seed"]), cause))
    return grouped(members)


def names_of(groups: list[Group]) -> Words:
    varied = list(differing(groups))
    return Words(
        name=lambda group: configuration_title(group.knobs, varied),
        subject=lambda group, knob: subject_title(group.knobs, [path for path in varied if path != knob]),
        change=change_title,
        value=value_title,
    )


def said(groups: list[Group], *, watched: bool = False, of: str = "test/accuracy") -> Verdict:
    return verdict(facts.make(groups, measure.parse(of), watched=watched), names_of(groups))


FC, FC_SHUFFLED = [0.869, 0.860, 0.877, 0.864, 0.862], [0.862, 0.872, 0.870, 0.868, 0.861]
CNN, CNN_SHUFFLED = [0.949, 0.954, 0.947, 0.951, 0.950], [0.824, 0.820, 0.830, 0.818, 0.826]


def four_ways(n: int = 5) -> list[Group]:
    return groups_of(
        runs(FC[:n], model="fc"),
        runs(FC_SHUFFLED[:n], model="fc", pixel_order="shuffled"),
        runs(CNN[:n]),
        runs(CNN_SHUFFLED[:n], pixel_order="shuffled"),
    )


def test_the_tutorials_question_is_answered_in_three_sentences() -> None:
    found = said(four_ways())
    assert found.sentences == [
        "Shuffling the pixels cost the CNN 12.7 points (95% interval 11.8 to 13.5, 5 seeds).",
        "The FC net changed by +0.02 points (−1.0 to 1.0, 5 seeds).",
        "The CNN depends on where pixels are; the FC net shows none larger than 1.0 points.",
    ]
    assert found.note == (
        "95% intervals for a number of seeds fixed beforehand, paired by seed; 3 comparisons, corrected by Holm."
    )
    assert (found.knob, found.heads) == ("pixel_order", ("original", "shuffled"))
    assert [row.name for row in found.rows] == ["CNN", "FC net"]


def test_how_much_more_one_changes_than_the_other_is_said_with_its_sign() -> None:
    both_lose = groups_of(
        runs(CNN),
        runs(CNN_SHUFFLED, pixel_order="shuffled"),
        runs(FC, model="fc"),
        runs([value - 0.03 for value in FC_SHUFFLED], model="fc", pixel_order="shuffled"),
    )
    assert said(both_lose).sentences[2] == "The CNN loses 9.7 points more than the FC net (7.9 to 11.5)."
    losses = groups_of(
        runs([0.30, 0.31, 0.29, 0.30]),
        runs([0.80, 0.83, 0.78, 0.80], pixel_order="shuffled"),
        runs([0.50, 0.52, 0.49, 0.51], model="fc"),
        runs([0.60, 0.63, 0.59, 0.60], model="fc", pixel_order="shuffled"),
    )
    sentence = said(losses, of="test/loss").sentences[2]
    assert sentence.startswith("The change of the CNN is 0.403 higher than that of the FC net (0.3")


def test_while_watched_the_interval_is_wider_and_three_seeds_settle_nothing() -> None:
    three = said(four_ways(3), watched=True)
    assert three.sentences == [
        "Shuffling the pixels changed the test accuracy of the CNN by −12.5 points (3 seeds so far).",
        "The FC net changed by −0.07 points (3 seeds so far).",
        "An interval that holds while one watches needs at least 4 seeds of each.",
    ]
    five = said(four_ways(), watched=True)
    assert five.sentences[0].startswith("Shuffling the pixels cost the CNN 12.7 points (11.0 to 14.3, 5 seeds so far).")
    assert five.note.startswith("Intervals valid while watched, paired by seed")
    assert len(five.rows[0].judged.looks) == 5  # type: ignore[union-attr]


def test_four_copies_of_one_group_claim_nothing() -> None:
    copies = groups_of(*(runs(CNN, model=m, pixel_order=o) for m in ("fc", "cnn") for o in ("original", "shuffled")))
    for watched in (False, True):
        found = said(copies, watched=watched)
        assert not any(row.judged and row.judged.clear for row in found.rows)
        assert "exactly the same test accuracy" in found.sentences[0]
        assert not any(word in " ".join(found.sentences) for word in ("cost", "brought", "depends", "loses", "better"))


def test_four_samples_of_one_distribution_are_hardly_ever_told_apart() -> None:
    random, claims = np.random.default_rng(7), 0
    for _ in range(200):
        drawn = [list(random.normal(0.9, 0.01, 5)) for _ in range(4)]
        groups = groups_of(
            *(runs(values, **{"optimizer.lr": lr}) for values, lr in zip(drawn, (1, 2, 3, 4), strict=True))
        )
        claims += any(row.judged and row.judged.clear for row in said(groups).rows)
    assert claims <= 16  # 5% of 200, and two and a half deviations


def test_what_cannot_be_told_says_what_would() -> None:
    close = groups_of(
        runs([0.90, 0.91, 0.90, 0.92, 0.91]), runs([0.91, 0.91, 0.92, 0.91, 0.90], pixel_order="shuffled")
    )
    found = said(close)
    assert found.sentences[0].startswith(
        "Shuffling the pixels changed the test accuracy by +0.20 points (95% interval −"
    )
    assert found.sentences[1].startswith("About ")
    assert found.sentences[1].endswith("would settle a difference of 0.20 points.")
    one_each = said(groups_of(runs([0.90]), runs([0.91], pixel_order="shuffled")))
    assert one_each.sentences == [
        "Shuffling the pixels changed the test accuracy by +1.0 points (1 seed).",
        "Another seed may say the opposite: an interval takes at least 2 seeds of each.",
    ]


def test_what_has_not_finished_is_said() -> None:
    waiting = groups_of(runs([0.90, 0.91]), runs([None, None], pixel_order="shuffled"))  # type: ignore[list-item]
    assert said(waiting, watched=True).sentences[0] == "Shuffling the pixels has no finished run yet (shuffled)."
    assert said(groups_of(runs([None])), watched=True).sentences == ["No run has finished yet."]  # type: ignore[list-item]
    assert said([]).sentences == []


def test_the_best_of_several_is_named_with_what_it_is_better_than() -> None:
    rates = {
        0.001: [0.78, 0.79, 0.785],
        0.01: [0.867, 0.864, 0.869],
        0.03: [0.886, 0.883, 0.889],
        0.1: [0.88, 0.84, 0.86],
    }
    found = said(groups_of(*(runs(values, **{"optimizer.lr": lr}) for lr, values in rates.items())))
    assert found.sentences[0] == "Learning rate 0.03 had the highest test accuracy: 88.60%, mean of 3 seeds."
    assert found.sentences[1].startswith("It is better than learning rate 0.01 by 1.9 points (95% interval")
    assert found.sentences[2] == "Whether it is better than learning rate 0.1, these seeds can't tell."
    assert "6 comparisons, corrected by Holm" in found.note
    assert [row.judged is None for row in found.rows] == [True, False, False, False]


def test_each_is_compared_with_the_best_in_the_same_direction_at_every_look() -> None:
    rates = {
        0.03: [0.886, 0.883, 0.889, 0.885, 0.887],
        0.1: [0.867, 0.864, 0.869, 0.866, 0.868],
        1.0: [0.7, 0.6, 0.8, 0.7, 0.6],
    }
    found = said(groups_of(*(runs(values, **{"optimizer.lr": lr}) for lr, values in rates.items())), watched=True)
    for row in found.rows[1:]:
        assert row.judged
        assert len(row.judged.looks) == 5
        last = row.judged.looks[-1]
        assert (last.mean, last.low, last.high) == (row.judged.value, row.judged.low, row.judged.high)
        assert all(look.value < 0 for look in row.judged.looks)


def test_a_lower_loss_is_better() -> None:
    found = said(
        groups_of(
            *(runs([x, x + 0.01, x + 0.02, x], batch_size=size) for size, x in ((16, 0.3), (32, 0.5), (64, 0.4)))
        ),
        of="test/loss",
    )
    assert found.sentences[0].startswith("Batch size 16 had the lowest test loss: 0.3075")
    change = said(groups_of(runs([0.30, 0.31, 0.29]), runs([0.50, 0.52, 0.49], pixel_order="shuffled")), of="test/loss")
    assert change.sentences[0].startswith("Shuffling the pixels raised the test loss by 0.203 (95% interval ")


def test_seeds_that_do_not_match_are_paired_as_they_came_while_watched() -> None:
    groups = groups_of(runs(CNN), runs(CNN_SHUFFLED, first_seed=11, pixel_order="shuffled"))
    found = said(groups, watched=True)
    assert "paired in order of arrival" in found.note
    assert found.rows[0].judged
    assert [look.seed for look in found.rows[0].judged.looks] == [None] * 5
    assert "Welch" in said(groups).note


def test_a_run_each_with_different_seeds_has_no_seed_in_common() -> None:
    groups = groups_of(runs([0.9], model="fc"), runs([0.85], first_seed=2, model="cnn"))
    assert said(groups, watched=True).sentences[0].endswith("by −5.0 points (no seed in common).")


def test_main_effects_and_the_interaction_of_two_knobs() -> None:
    main, (interaction,) = design.effects(four_ways(), watched=False)
    assert [effect.steps[0].knob for effect in main] == ["model", "pixel_order"]
    of_order = np.mean([np.mean(FC_SHUFFLED) - np.mean(FC), np.mean(CNN_SHUFFLED) - np.mean(CNN)])
    assert main[1].judged.value == pytest.approx(of_order)
    more = (np.mean(CNN_SHUFFLED) - np.mean(CNN)) - (np.mean(FC_SHUFFLED) - np.mean(FC))
    assert interaction.judged.value == pytest.approx(more)
    assert interaction.judged.clear
    assert design.effects(four_ways()[:3], watched=False) == ([], [])


def test_three_knobs_are_averaged_over_the_third() -> None:
    random = np.random.default_rng(5)
    groups = groups_of(
        *(
            runs(
                list(0.5 + 0.1 * a + 0.2 * b + 0.3 * a * b + 0.05 * c + random.normal(0, 0.001, 6)),
                batch_size=a,
                epochs=b,
                **{"optimizer.lr": c},
            )
            for a in (0, 1)
            for b in (0, 1)
            for c in (0, 1, 2)
        )
    )
    main, interaction = design.effects(groups, watched=False)
    assert [effect.judged.value for effect in main] == pytest.approx([0.05, 0.1, 0.25, 0.35], abs=0.002)
    assert [effect.judged.value for effect in interaction] == pytest.approx([0, 0, 0, 0, 0.3], abs=0.003)


@pytest.mark.parametrize(
    ("text", "title", "greater"),
    [
        ("test/accuracy", "test accuracy", True),
        ("test/accuracy.best", "best test accuracy", True),
        ("train/loss.at=500", "training loss at step 500", False),
        ("test/accuracy.steps_to=0.9", "steps to a test accuracy of 90%", False),
        ("test/loss.seconds_to=0.5", "seconds to a test loss of 0.5", False),
        ("images_per_second", "images a second", True),
    ],
    ids=str,
)
def test_what_can_be_compared(text: str, title: str, greater: bool) -> None:
    found = measure.parse(text)
    assert (found.title, found.greater_is_better) == (title, greater)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "accuracy",
        "test/accuracy.mean",
        "test/loss.at=0",
        "test/loss.at=1.5",
        "test/loss.steps_to=--",
        "test/loss.steps_to=1e999",
    ],
)
def test_what_cannot_be_compared_is_said(text: str) -> None:
    with pytest.raises(ValueError, match=r"is '"):
        measure.parse(text)


NAN = "failed: loss became NaN at step {}: choose a lower learning rate than 0.3"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            [NAN.format(340), 0.86, *(NAN.format(step) for step in (112, 200, 120))],
            "4 of 5 runs of learning rate 0.3 failed (loss became NaN, steps 112 to 340); "
            "the one that trained reached 86.00%.",
        ),
        (
            [NAN.format(7), NAN.format(9).replace("NaN", "infinite"), 0.8, 0.9],
            "2 of 4 runs of learning rate 0.3 failed (loss became NaN or infinite, steps 7 to 9); 2 trained.",
        ),
        ([NAN.format(7)], "The one run of learning rate 0.3 failed (loss became NaN, step 7)."),
        (["stopped: stopped by user", 0.8, 0.8], "1 of 3 runs of learning rate 0.3 was stopped; 2 trained."),
        (["stopped: s", "stopped: s"], "All 2 runs of learning rate 0.3 were stopped."),
        (["lost: v", 0.8], "1 of 2 runs of learning rate 0.3 vanished; the one that trained reached 80.00%."),
        (
            ["failed: out of memory at batch size 64: choose a smaller one", NAN.format(3), "stopped: s", 0.8],
            "2 of 4 runs of learning rate 0.3 failed, 1 was stopped; the one that trained reached 80.00%.",
        ),
    ],
)
def test_who_dropped_out_comes_before_what_is_claimed(values: list[Any], sentence: str) -> None:
    groups = groups_of(runs([0.5, 0.51, 0.52], **{"optimizer.lr": 0.1}), runs(values, **{"optimizer.lr": 0.3}))
    found = said(groups)
    assert found.sentences[0] == sentence
    assert len(found.sentences) > 1


def test_who_has_not_ended_or_was_launched_again_has_not_dropped_out() -> None:
    again = [{**one, "seed": 1} for one in runs([NAN.format(7), 0.8, 0.7])]
    groups = groups_of(again, runs([None, "paused: p", "resuming: killed"], model="fc"))
    assert facts.make(groups, measure.parse("test/accuracy"), watched=True).dropouts == ()


def test_one_that_failed_altogether_is_not_waited_for() -> None:
    rates = {0.1: [0.5, 0.51], 0.2: [0.6, 0.61], 0.3: [NAN.format(7)] * 2}
    found = said(groups_of(*(runs(values, **{"optimizer.lr": rate}) for rate, values in rates.items())))
    assert found.sentences[0] == "All 2 runs of learning rate 0.3 failed (loss became NaN, step 7)."
    assert not any("yet" in sentence for sentence in found.sentences)
    two = said(groups_of(runs(CNN), runs([NAN.format(7)] * 5, pixel_order="shuffled")))
    assert two.sentences[1] == "Shuffling the pixels can't be judged: no run trained (shuffled)."
    waiting = said(groups_of(runs(CNN), runs([NAN.format(7), None], pixel_order="shuffled")))
    assert waiting.sentences[1] == "Shuffling the pixels has no finished run yet (shuffled)."


def test_many_dropouts_are_counted() -> None:
    of_rates = [runs([NAN.format(7), 0.5], **{"optimizer.lr": rate}) for rate in (0.1, 0.2, 0.3, 0.4, 0.5)]
    assert said(groups_of(*of_rates)).sentences[3] == "Of 2 more configurations, runs did not end with a result either."


@pytest.mark.parametrize(
    ("first", "second", "sentences"),
    [
        (
            [900.0, 950.0, 1000.0, 980.0, 940.0, "none"],
            ["none"] * 6,
            [
                "A test accuracy of 90% was reached by 5 of 6 runs of CNN, original, by none of 6 of CNN, shuffled "
                "(Fisher's exact test, p 0.015).",
                "Shuffling the pixels can't be judged: no run got there (shuffled).",
            ],
        ),
        (
            ["none", "none"],
            ["none", "none"],
            [
                "A test accuracy of 90% was reached by none of 2 runs of CNN, original, by none of 2 of CNN, shuffled "
                "(Fisher's exact test, p 1)."
            ],
        ),
    ],
)
def test_who_never_got_there_is_the_result(first: list[Any], second: list[Any], sentences: list[str]) -> None:
    groups = groups_of(runs(first), runs(second, pixel_order="shuffled"))
    assert said(groups, of="test/accuracy.steps_to=0.9").sentences == sentences


def test_where_all_got_there_nothing_is_said_of_it() -> None:
    groups = groups_of(runs([900.0, 950.0, 930.0]), runs([1900.0, 1960.0, 1940.0], pixel_order="shuffled"))
    found = said(groups, of="test/accuracy.steps_to=0.9").sentences
    assert found[0].startswith("Shuffling the pixels raised the steps to a test accuracy of 90% by 1,007 steps")
