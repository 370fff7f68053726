"""What is claimed, what is not, and what would tell."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from app.compare import measure, tree
from app.compare.facts import OVER, WATCHED, Plan
from app.compare.groups import Figure, Group, Member, differing, grouped
from app.compare.statistics import summary
from app.compare.verdict import Verdict, Words
from app.compare.words import verdict
from app.web.titles import change_title, condition_title, configuration_title, subject_title, value_title

NAN = "failed: loss became NaN at step {}: choose a lower learning rate than 0.3"
NAN_AT_7 = NAN.format(7)
KNOBS = {"model": "cnn", "pixel_order": "original", "dataset": "mnist", "optimizer.lr": 0.01, "device": "auto"}


def runs(values: list[Any], first_seed: int = 1, **knobs: Any) -> list[dict[str, Any]]:
    return [{"value": value, **KNOBS, **knobs, "seed": first_seed + index} for index, value in enumerate(values)]


def groups_of(*configurations: list[dict[str, Any]]) -> list[Group]:
    """Finished runs; a value of None is a run that has not finished, a text how one ended: `failed: its cause`."""
    members = []
    for knobs in (one for configuration in configurations for one in configuration):
        value, cause = knobs.pop("value"), None
        seen, untrained = knobs.pop("seen", False), knobs.pop("untrained", False)
        done = "running" if value is None else "succeeded"
        if value == "none":  # it has finished, without what is compared
            value = None
            done = "succeeded"
        elif isinstance(value, str):
            (done, _, cause), value = value.partition(": "), None
        of_all = str({path: knob for path, knob in knobs.items() if path != "seed"})
        members.append(Member(len(members) + 1, done, of_all, knobs, {}, {}, {}, value, cause, seen, 938, untrained))
    return grouped(members)


def names_of(groups: list[Group]) -> Words:
    varied = list(differing(groups))
    return Words(
        name=lambda group: configuration_title(group.knobs, varied),
        subject=lambda group, knob: subject_title(group.knobs, [path for path in varied if path != knob]),
        change=change_title,
        value=value_title,
        condition=condition_title,
    )


def said(groups: list[Group], plan: Plan = OVER, of: str = "test/accuracy") -> Verdict:
    return verdict(tree.make(groups, measure.parse(of), plan), names_of(groups))


FC, FC_SHUFFLED = [0.869, 0.860, 0.877, 0.864, 0.862], [0.862, 0.872, 0.870, 0.868, 0.861]
CNN, CNN_SHUFFLED = [0.949, 0.954, 0.947, 0.951, 0.950], [0.824, 0.820, 0.830, 0.818, 0.826]


def four_ways(n: int = 5) -> list[Group]:
    return groups_of(
        runs(FC[:n], model="fc"),
        runs(FC_SHUFFLED[:n], model="fc", pixel_order="shuffled"),
        runs(CNN[:n]),
        runs(CNN_SHUFFLED[:n], pixel_order="shuffled"),
    )


TOGETHER = "95% for all 5 comparisons together, paired by seed; a difference under 1 point is too small to matter."


def decisions(found: Verdict) -> list[str]:
    return [line.contrast.decision for line in found.lines]


def test_the_tutorials_question_is_answered_with_intervals_first() -> None:
    found = said(four_ways())
    assert found.sentences == [
        "Shuffling the pixels cost the CNN between 11.2 and 14.1 points (mean 12.7; worse in 5 of 5 seeds).",
        "Whether shuffling the pixels changes the FC net, 5 seeds can't tell: anything from −1.64 to +1.68 points fits "
        "(mean +0.02; better in 2 of 5 seeds).",
        "The CNN depends on where pixels are; the FC net shows none larger than 1.7 points.",
        "With pixels in order the CNN is ahead of the FC net by 6.5 to 10.3 points (mean 8.4; in 5 of 5 seeds); "
        "with pixels shuffled the FC net is ahead of the CNN by 2.7 to 5.9 points (mean 4.3; in 5 of 5 seeds).",
    ]
    assert found.note == f"Intervals for one look at a number of seeds fixed beforehand, {TOGETHER}"
    assert (found.knob, found.heads) == ("pixel_order", ("in order", "shuffled"))
    assert [row.name for row in found.rows] == ["CNN", "FC net"]
    assert [(line.title, line.contrast.decision) for line in found.lines] == [
        ("Shuffling the pixels, CNN", "clear"),
        ("Shuffling the pixels, FC net", "open"),
        ("CNN against FC net, in order", "clear"),
        ("CNN against FC net, shuffled", "clear"),
        ("Shuffling the pixels: CNN more than FC net", "clear"),
    ]


def test_the_intervals_of_one_page_are_one_family() -> None:
    """Against scipy: 95% for all five together is 99% each."""
    found = said(four_ways())
    differences = np.array(CNN_SHUFFLED) - np.array(CNN)
    low, high = stats.t.interval(0.99, 4, differences.mean(), stats.sem(differences))
    judged = found.lines[0].contrast.judged
    assert judged is not None
    assert (judged.low, judged.high) == (pytest.approx(low), pytest.approx(high))
    assert {line.contrast.family for line in found.lines} == {5}
    alone = said(groups_of(runs(CNN), runs(CNN_SHUFFLED, pixel_order="shuffled")))
    assert alone.lines[0].contrast.family == 1


def test_who_is_ahead_whatever_the_other_knob_is_said_first() -> None:
    ahead = [value + 0.05 for value in FC], [value + 0.05 for value in FC_SHUFFLED]
    found = said(
        groups_of(
            runs(ahead[0], model="fc"),
            runs(ahead[1], model="fc", pixel_order="shuffled"),
            runs([0.86, 0.87, 0.88, 0.93, 0.865]),
            runs(CNN_SHUFFLED, pixel_order="shuffled"),
        )
    )
    assert found.sentences[0] == (
        "With pixels in order the FC net is ahead of the CNN by −2.5 to +9.6 points, which may be chance "
        "(mean +3.5; in 4 of 5 seeds); with pixels shuffled the FC net is ahead of the CNN by 7.7 to 10.9 points "
        "(mean 9.3; in 5 of 5 seeds)."
    )
    assert not any("CNN is ahead" in sentence for sentence in found.sentences)


def test_how_much_more_one_changes_than_the_other_is_said_with_its_sign() -> None:
    both_lose = groups_of(
        runs(CNN),
        runs(CNN_SHUFFLED, pixel_order="shuffled"),
        runs(FC, model="fc"),
        runs([value - 0.03 for value in FC_SHUFFLED], model="fc", pixel_order="shuffled"),
    )
    assert said(both_lose).sentences[2] == "The CNN loses 6.7 to 12.7 points more than the FC net (mean 9.7)."
    losses = groups_of(
        runs([0.30, 0.31, 0.29, 0.30]),
        runs([0.80, 0.83, 0.78, 0.80], pixel_order="shuffled"),
        runs([0.50, 0.52, 0.49, 0.51], model="fc"),
        runs([0.60, 0.63, 0.59, 0.60], model="fc", pixel_order="shuffled"),
    )
    found = said(losses, of="test/loss")
    assert found.sentences[2:] == [
        "The change of the CNN is 0.375 to 0.430 higher than that of the FC net (mean 0.403).",
        "With pixels in order the CNN has the lower test loss, by 0.188 to 0.222 (mean 0.205; in 4 of 4 seeds); "
        "with pixels shuffled the FC net has the lower test loss, by 0.183 to 0.212 (mean 0.198; in 4 of 4 seeds).",
    ]


@pytest.mark.parametrize(
    ("second", "decision", "sentence"),
    [
        (
            [0.92, 0.925, 0.921, 0.924, 0.922],
            "clear",
            "Shuffling the pixels brought between 2.0 and 2.5 points of test accuracy (mean 2.2; better in 5 of 5 "
            "seeds).",
        ),
        (
            [0.908, 0.913, 0.909, 0.916, 0.912],
            "small",
            "Shuffling the pixels brought between 0.8 and 1.6 points of test accuracy, which may be too small to "
            "matter "
            "(mean 1.2; better in 5 of 5 seeds).",
        ),
        (
            [0.905, 0.904, 0.906, 0.905, 0.904],
            "no difference",
            "Shuffling the pixels brought between 0.38 and 0.58 points of test accuracy: real, and too small to matter "
            "(mean 0.48; better in 5 of 5 seeds).",
        ),
        (
            [0.902, 0.899, 0.901, 0.902, 0.898],
            "no difference",
            "Shuffling the pixels made no difference that matters: −0.19 to +0.27 points (mean +0.04; better in 3 of 5 "
            "seeds).",
        ),
        (
            [0.92, 0.89, 0.93, 0.91, 0.88],
            "open",
            "Whether shuffling the pixels changes the test accuracy, 5 seeds can't tell: anything from −2.0 to +3.2 "
            "points fits (mean +0.6; better in 3 of 5 seeds).",
        ),
        (
            [0.9] * 5,
            "equal",
            "Shuffling the pixels changed nothing: exactly the same test accuracy in 5 of 5 seeds.",
        ),
        (
            [0.91] * 5,
            "unfit",
            "What shuffling the pixels does is open: the same difference in all 5 seeds, +1.0 points: there is "
            "no spread "
            "to judge chance by.",
        ),
        (
            [NAN_AT_7] * 5,
            "none",
            "Shuffling the pixels can't be judged: no run trained with pixels shuffled.",
        ),
        (
            [0.91, *[NAN_AT_7] * 4],
            "too few",
            "With this one seed test accuracy is 90.00% with pixels in order and 91.00% with pixels shuffled.",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 20 else "",
)
def test_decisions_are_a_closed_list_and_each_has_its_sentence(second: list[Any], decision: str, sentence: str) -> None:
    found = said(groups_of(runs([0.9] * 5), runs(second, pixel_order="shuffled")))
    assert decisions(found) == [decision]
    assert sentence in found.sentences


def test_intervals_do_not_depend_on_what_matters_and_decisions_do() -> None:
    groups = groups_of(runs([0.9] * 5), runs([0.908, 0.913, 0.909, 0.916, 0.912], pixel_order="shuffled"))
    made = {
        d: tree.make(groups, measure.parse("test/accuracy"), OVER, d).contrasts[0] for d in (0.0, 0.005, 0.01, 0.02)
    }
    assert [one.decision for one in made.values()] == ["clear", "clear", "small", "no difference"]
    assert len({one.judged for one in made.values()}) == 1


def test_what_matters_of_a_loss_is_a_share_of_the_first_mean() -> None:
    groups = groups_of(runs([0.4, 0.42]), runs([0.1, 0.2], model="fc"))
    assert tree.make(groups, measure.parse("test/loss"), OVER).smallest == pytest.approx(0.0205)


def test_while_a_fixed_plan_runs_there_are_plain_numbers_and_no_word_of_a_decision() -> None:
    groups = groups_of(
        runs([*FC[:3], None, None], model="fc"),
        runs([*FC_SHUFFLED[:3], None, None], model="fc", pixel_order="shuffled"),
        runs([*CNN[:4], None]),
        runs([*CNN_SHUFFLED[:4], None], pixel_order="shuffled"),
    )
    found = said(groups, Plan("running", 20, 6))
    assert found.sentences == [
        "Verdict when all 20 runs have ended: 6 to go.",
        "The CNN has 95.03% with pixels in order and 82.30% with pixels shuffled so far (4 of 5 seeds).",
        "The FC net has 86.87% with pixels in order and 86.80% with pixels shuffled so far (3 of 5 seeds).",
        "With pixels in order the CNN is ahead of the FC net by 8.1 points so far (3 seeds); with pixels "
        "shuffled the FC "
        "net is ahead of the CNN by 4.3 points so far (3 seeds).",
    ]
    assert decisions(found) == ["pending"] * 5
    assert all(line.contrast.judged and line.contrast.judged.low is None for line in found.lines)
    of_cnn = found.lines[0].contrast.judged
    assert of_cnn is not None
    assert of_cnn.looks[-1].high is not None, "it may be looked at, each by itself, from the 4th seed on"
    assert of_cnn.looks[-1].high < 0


def test_failed_runs_of_a_fixed_plan_leave_it_fixed_on_the_seeds_complete_on_both_sides() -> None:
    groups = groups_of(runs([NAN_AT_7, *CNN[1:]]), runs([*CNN_SHUFFLED[:4], NAN_AT_7], pixel_order="shuffled"))
    found = said(groups)
    (line,) = found.lines
    assert (line.contrast.mode, line.contrast.seeds, line.contrast.decision) == ("fixed", (2, 3, 4), "clear")
    assert found.sentences[:2] == [
        "1 of 5 runs of CNN, in order failed (loss became NaN, step 7); 4 trained.",
        "1 of 5 runs of CNN, shuffled failed (loss became NaN, step 7); 4 trained.",
    ]
    (row,) = found.rows
    assert row.first is not None
    assert row.second is not None
    assert (row.first.n, row.second.n) == (3, 3)


def test_while_watched_the_interval_is_wider_and_three_seeds_settle_nothing() -> None:
    three = said(four_ways(3), WATCHED)
    assert three.sentences == [
        "The CNN has 95.00% with pixels in order and 82.47% with pixels shuffled (3 seeds).",
        "The FC net has 86.87% with pixels in order and 86.80% with pixels shuffled (3 seeds).",
        "With pixels in order the CNN is ahead of the FC net by 8.1 points so far (3 seeds); with pixels "
        "shuffled the FC "
        "net is ahead of the CNN by 4.3 points so far (3 seeds).",
        "An interval that holds while one watches takes at least 5 seeds of each.",
    ]
    five = said(four_ways(), WATCHED)
    assert five.sentences[0] == (
        "Shuffling the pixels cost the CNN between 8.2 and 17.1 points (mean 12.7; worse in 5 of 5 seeds)."
    )
    assert five.note == f"Intervals hold however often one looks, {TOGETHER}"
    assert five.rows[0].contrast is not None
    assert five.rows[0].contrast.judged is not None
    assert len(five.rows[0].contrast.judged.looks) == 5


def test_a_set_counts_once_all_that_were_launched_before_it_have_ended() -> None:
    groups = groups_of(runs([0.9, None, 0.92, 0.9]), runs([0.8, 0.81, 0.83, 0.8], pixel_order="shuffled"))
    (contrast,) = tree.make(groups, measure.parse("test/accuracy"), WATCHED).contrasts
    assert contrast.seeds == (1,)
    failed = groups_of(runs([0.9, NAN_AT_7, 0.92, 0.9]), runs([0.8, 0.81, 0.83, 0.8], pixel_order="shuffled"))
    (contrast,) = tree.make(failed, measure.parse("test/accuracy"), WATCHED).contrasts
    assert contrast.seeds == (1, 3, 4)


def test_what_had_been_seen_before_is_watched_though_the_plan_was_fixed() -> None:
    groups = groups_of(
        runs(FC, model="fc"),
        runs(FC_SHUFFLED, model="fc", pixel_order="shuffled"),
        [{**one, "seen": one["seed"] == 2} for one in runs(CNN)],
        runs(CNN_SHUFFLED, pixel_order="shuffled"),
    )
    found = said(groups)
    assert [line.contrast.mode for line in found.lines] == ["watched", "fixed", "watched", "fixed", "watched"]
    assert found.note.startswith("Some runs repeat what had been seen before: their intervals hold however often")


def test_four_copies_of_one_group_claim_nothing() -> None:
    copies = groups_of(*(runs(CNN, model=m, pixel_order=o) for m in ("fc", "cnn") for o in ("original", "shuffled")))
    for plan in (OVER, WATCHED):
        found = said(copies, plan)
        assert decisions(found) == ["equal"] * 5
        assert "exactly the same test accuracy in 5 of 5 seeds" in found.sentences[0]
        assert all(line.contrast.judged and line.contrast.judged.low is None for line in found.lines)
        assert not any(word in " ".join(found.sentences) for word in ("cost", "brought", "depends", "loses", "better"))


def test_a_value_far_off_takes_the_average_away_and_not_the_answer_of_all_others() -> None:
    first, second = (
        [0.9, 0.91, 0.92, 0.9, 0.91, 0.92, 0.9, 0.91],
        [0.904, 0.913, 0.925, 0.905, 0.914, 0.923, 0.904, 0.2],
    )
    found = said(groups_of(runs(first), runs(second, pixel_order="shuffled")))
    assert found.sentences[0] == (
        "Shuffling the pixels brought between 0.28 and 0.50 points of test accuracy: real, and too small to matter "
        "(median 0.40; better in 7 of 8 seeds; seed 8 lies far off, −71.0)."
    )
    assert (found.rows[0].first, found.rows[0].second) == (None, None), "no average is claimed"
    mixed = [0.92, 0.895, 0.935, 0.88, 0.93, 0.90, 0.915, 0.2]
    unfit = said(groups_of(runs(first), runs(mixed, pixel_order="shuffled")))
    assert decisions(unfit) == ["unfit"]
    assert unfit.sentences[0] == (
        "What shuffling the pixels does is open: 7 of 8 seeds say −2.0 to +2.0 points; seed 8 lies far off (−71.0 "
        "points), so no average is claimed."
    )


def test_looks_that_contradict_each_other_claim_nothing() -> None:
    random = np.random.default_rng(1)
    differences = [*random.normal(0, 0.001, 8), *random.normal(0.3, 0.001, 60)]
    groups = groups_of(runs([0.5] * 68), runs([0.5 + one for one in differences], pixel_order="shuffled"))
    found = said(groups, WATCHED)
    assert decisions(found) == ["unfit"]
    assert found.sentences == [
        "What shuffling the pixels does is open: no single difference fits the 68 seeds: they contradict "
        "each other, so "
        "none is claimed."
    ]


def test_intervals_stay_on_their_scale() -> None:
    groups = groups_of(runs([0.2, 0.95]), runs([0.9, 0.1], pixel_order="shuffled"))
    (contrast,) = tree.make(groups, measure.parse("test/accuracy"), OVER).contrasts
    assert contrast.judged is not None
    assert (contrast.judged.low, contrast.judged.high) == (-1, 1)
    assert said(groups_of(runs([0.2, 0.95]))).note == "95% interval of the mean: 0.00% to 100.00%."


def test_four_samples_of_one_distribution_are_hardly_ever_told_apart() -> None:
    random, claims = np.random.default_rng(7), 0
    for _ in range(200):
        drawn = [list(random.normal(0.9, 0.01, 5)) for _ in range(4)]
        groups = groups_of(
            *(runs(values, **{"optimizer.lr": lr}) for values, lr in zip(drawn, (1, 2, 3, 4), strict=True))
        )
        claims += any(decision in ("clear", "small") for decision in decisions(said(groups)))
    assert claims <= 16  # 5% of 200, and two and a half deviations


def test_what_cannot_be_told_says_what_would_where_it_would_matter() -> None:
    first, second = [0.90, 0.91, 0.90, 0.92, 0.91], [0.92, 0.91, 0.95, 0.92, 0.90]
    found = said(groups_of(runs(first), runs(second, pixel_order="shuffled")))
    assert found.sentences[1] == "About 28 more seeds would settle a difference of 1.2 points."
    little = said(groups_of(runs(first), runs([0.91, 0.91, 0.92, 0.91, 0.90], pixel_order="shuffled")))
    assert len(little.sentences) == 1, "0.2 points would take very many seeds, and don't matter"
    one_each = said(groups_of(runs([0.90]), runs([0.91], pixel_order="shuffled")))
    assert one_each.sentences == [
        "With this one seed test accuracy is 90.00% with pixels in order and 91.00% with pixels shuffled.",
        "Another seed may say the opposite: an interval takes at least 2 seeds of each.",
    ]


def test_what_has_not_finished_is_said() -> None:
    waiting = groups_of(runs([0.90, 0.91]), runs([None, None], pixel_order="shuffled"))
    assert said(waiting, WATCHED).sentences[0] == (
        "Test accuracy is 90.50% with pixels in order and no finished run with pixels shuffled so far."
    )
    assert said(groups_of(runs([None])), WATCHED).sentences == ["No run has finished yet."]
    begun = groups_of(
        runs([None]),
        runs([0.9], pixel_order="shuffled"),
        runs([None], model="fc"),
        runs([None], model="fc", pixel_order="shuffled"),
    )
    assert said(begun, Plan("running", 4, 3)).sentences == [
        "Verdict when all 4 runs have ended: 3 to go.",
        "The CNN has no finished run with pixels in order and 90.00% with pixels shuffled so far (0 of 1 seed).",
        "The FC net: no run has finished yet.",
    ]
    assert said([]).sentences == []
    gone = groups_of(runs([NAN_AT_7]), runs(["stopped: stopped by user"], model="fc"))
    assert said(gone).sentences == [
        "The one run of CNN failed (loss became NaN, step 7).",
        "The one run of FC was stopped.",
    ]


RATES = {
    0.001: [0.78, 0.79, 0.785],
    0.01: [0.867, 0.864, 0.869],
    0.03: [0.886, 0.883, 0.889],
    0.1: [0.88, 0.84, 0.86],
}


def of_rates(rates: dict[float, list[Any]], **knobs: Any) -> list[list[dict[str, Any]]]:
    return [runs(list(values), **{"optimizer.lr": rate}, **knobs) for rate, values in rates.items()]


SEEDS = [0.0, 0.004, -0.003, 0.002, -0.001]


def spread(*means: float, **knobs: Any) -> list[list[dict[str, Any]]]:
    """Runs of learning rates 0.001, 0.01, 0.1, … that have these means, five seeds each that spread alike."""
    random = np.random.default_rng(1)
    noise = 0.002 * random.normal(size=(len(means), len(SEEDS)))
    rates = [10.0 ** (at - 3) for at in range(len(means))]
    values = [
        [round(mean + a + b, 4) for a, b in zip(SEEDS, of, strict=True)] for mean, of in zip(means, noise, strict=True)
    ]
    return of_rates(dict(zip(rates, values, strict=True)), **knobs)


def test_of_several_those_that_may_be_best_are_told_from_those_that_are_ruled_out() -> None:
    found = said(groups_of(*spread(0.70, 0.80, 0.951, 0.95, 0.90)))
    assert found.sentences[0] == "0.1 and 1 may be best; 0.01 and below, and 10, are ruled out."
    assert found.sentences[1].startswith("Learning rate 0.1 has the highest test accuracy: 95.")
    assert re.fullmatch(
        r"Whichever of them is taken, it is at most 0\.\d+ points behind the best: too little to matter\.",
        found.sentences[2],
    )
    assert decisions(found) == ["may be best", "ruled out", "ruled out", "ruled out"]
    assert [row.word for row in found.rows] == ["ruled out", "ruled out", "may be best", "may be best", "ruled out"]
    assert "in 95 of 100 such experiments (4 comparisons)" in found.note
    assert found.rows[0].name == "Learning rate 0.001", "rows are in the setting's order"


@pytest.mark.parametrize(
    ("means", "sentence"),
    [
        ((0.7, 0.8, 0.95), "Learning rate 0.1 is the best of 3; the others are ruled out."),
        ((0.8, 0.801, 0.8), "Any of the 3 may be best: these seeds rule none out."),
        ((0.95, 0.8, 0.951, 0.7), "0.001 and 0.1 may be best; 0.01 and 1 are ruled out."),
        ((0.95, 0.95, 0.95, 0.95, 0.95, 0.7), "5 of 6 may be best; 100 is ruled out."),
    ],
)
def test_a_set_is_named_by_the_ends_of_its_scale(means: tuple[float, ...], sentence: str) -> None:
    assert said(groups_of(*spread(*means))).sentences[0] == sentence


def test_of_several_that_learned_nothing_or_fail_none_may_be_best() -> None:
    configurations = spread(0.94, 0.95, 0.951)
    configurations[0] = [{**one, "untrained": True} for one in configurations[0]]
    failed = "failed: loss became NaN at step 9: choose a lower learning rate"
    configurations.append(runs([0.96, failed, failed, 0.961, 0.962], **{"optimizer.lr": 1}))
    groups = groups_of(*configurations)
    found = said(groups)
    assert "0.01 and 0.1 may be best; 0.001 and 1 are ruled out." in found.sentences
    words = {row.name: row.word for row in found.rows}
    assert words["Learning rate 0.001"] == "ruled out: it learned nothing"
    assert words["Learning rate 1"] == "ruled out: runs of it failed"
    assert found.sentences[0].startswith("2 of 5 runs of learning rate 1 failed"), "first who dropped out"
    watched = said(groups, WATCHED)
    assert all(row.contrast is None or row.contrast.mode == "watched" for row in watched.rows)
    assert {row.word for row in watched.rows if row.contrast and row.contrast.reason == "untrained"} == {
        "ruled out: it learned nothing"
    }


def test_a_setting_that_is_a_number_has_a_trend_and_an_end() -> None:
    rising = said(groups_of(*spread(0.7, 0.8, 0.9)))
    assert rising.sentences[-2].startswith("From 0.001 to 0.1 the test accuracy rises by ")
    assert rising.sentences[-1] == "The grid ends at 0.1 and the best stands at its end: it may lie beyond."
    within = said(groups_of(*spread(0.7, 0.95, 0.8)))
    assert not any("rises" in one or "falls" in one or "grid ends" in one for one in within.sentences)
    breaks = spread(0.7, 0.8, 0.9, 0.1)
    breaks[3] = [{**one, "untrained": True} for one in breaks[3]]
    assert not any("grid ends" in one for one in said(groups_of(*breaks)).sentences), "the next value was tried"
    falling = said(groups_of(*spread(0.7, 0.6, 0.5)), of="test/loss")
    assert falling.sentences[-2].startswith("From 0.001 to 0.1 the test loss falls by ")


def test_the_winner_of_a_search_was_chosen_by_its_looks() -> None:
    rates = {0.01 * at: [0.5 + 0.02 * at] for at in range(1, 9)}
    plan = Plan("over", 8, 0, draws=8)
    found = said(groups_of(*of_rates(rates)), plan)
    assert (
        "The best of 8 draws was chosen by its looks: run with other seeds, expect less. Of 4 draws the best is "
        "expected to have 63.72%."
    ) in found.sentences
    assert not any("draws" in one for one in said(groups_of(*of_rates(rates))).sentences), "a grid is no search"


@pytest.mark.parametrize(
    ("knobs", "of", "warned"),
    [
        ({}, "test/accuracy", False),
        ({}, "test/accuracy.best", True),
        ({"keep": "best"}, "test/accuracy", True),
        ({"early_stopping": 3}, "test/accuracy", True),
        ({"keep": "best", "validation": 500}, "test/accuracy", False),
        ({"validation": 500}, "test/accuracy.best", False),
        ({"keep": "best"}, "train/loss", False),
    ],
)
def test_what_was_chosen_on_the_test_images_says_so(knobs: dict[str, Any], of: str, warned: bool) -> None:
    found = said(groups_of(runs(CNN, **knobs), runs(CNN_SHUFFLED, pixel_order="shuffled", **knobs)), of=of)
    assert ("epochs were chosen on the test images: figures are too high" in found.note) == warned


def test_seeds_of_a_permutation_have_no_order() -> None:
    found = said(
        groups_of(
            *(
                runs([0.5 + at / 10, 0.51 + at / 10, 0.5 + at / 10], permutation_seed=at, pixel_order="shuffled")
                for at in (1, 2, 3)
            )
        )
    )
    assert found.scale is None
    assert not any("grid" in one for one in found.sentences)


def test_one_that_lacks_a_seed_costs_the_others_none() -> None:
    failed = "failed: out of GPU memory at batch size 64: choose a smaller one"
    configurations = spread(0.7, 0.95, 0.951)
    configurations.append(runs([failed, 0.904, 0.896, 0.901, 0.9], **{"optimizer.lr": 1}))
    found = said(groups_of(*configurations))
    counted = {
        line.title.partition(" against")[0]: line.contrast.judged.n for line in found.lines if line.contrast.judged
    }
    assert counted == {"Learning rate 0.01": 5, "Learning rate 0.001": 5, "Learning rate 1": 4}
    assert "1 are ruled out" in found.sentences[1]


def test_one_that_lacks_a_seed_and_has_a_value_far_off_is_judged_as_a_pair() -> None:
    failed = "failed: out of GPU memory at batch size 64: choose a smaller one"
    configurations = [runs([round(mean + one, 4) for one in (*SEEDS, 0.0015)]) for mean in (0.7, 0.95, 0.951)]
    for at, of_rate in enumerate(configurations):
        configurations[at] = [{**one, "optimizer.lr": 10.0 ** (at - 3)} for one in of_rate]
    configurations.append(runs([failed, 0.904, 0.896, 0.901, 0.9, 0.1], **{"optimizer.lr": 1.0}))
    found = said(groups_of(*configurations))
    assert not any(row.word.startswith("needs") for row in found.rows)
    assert not any("may be best" in one for one in found.sentences)


def test_while_watched_the_set_holds_however_often_one_looks() -> None:
    early = said(groups_of(*of_rates(RATES)), WATCHED)
    assert early.sentences[0].startswith("Learning rate 0.03 has the highest"), (
        "no verdict as long as there is no interval"
    )
    values = {0.01: [0.7, 0.71, 0.69, 0.7, 0.705, 0.7, 0.69, 0.7], 0.1: [0.9, 0.91, 0.89, 0.9, 0.905, 0.9, 0.895, 0.9]}
    values[1.0] = [0.9, 0.905, 0.9, 0.895, 0.9, 0.91, 0.89, 0.901]
    found = said(groups_of(*of_rates(values)), WATCHED)
    assert found.sentences[0] == "0.1 and 1 may be best; 0.01 is ruled out."
    assert "95% for all 3 comparisons together" in found.note, "all pairs: which is the best may change"


def test_pairs_are_judged_where_the_seeds_of_several_do_not_match() -> None:
    found = said(
        groups_of(
            *(runs(list(RATES[rate]), first_seed=10 * at, **{"optimizer.lr": rate}) for at, rate in enumerate(RATES))
        )
    )
    assert found.sentences[0] == "Learning rate 0.03 has the highest test accuracy: 88.60%, mean of 3 seeds."
    assert found.sentences[1].startswith("It is better than learning rate 0.01 by ")
    assert "95% for all 6 comparisons together" in found.note, "it was chosen by its looks"


def test_figures_on_different_data_sets_are_not_compared() -> None:
    found = said(groups_of(*of_rates(RATES), *of_rates({0.01: [0.5, 0.51], 0.1: [0.6, 0.62]}, dataset="digits")))
    assert found.sentences[0].startswith("MNIST: 0.01 and 0.03 may be best; ")
    assert found.sentences[1].startswith("MNIST, learning rate 0.03 has the highest test accuracy: 88.60%")
    assert "Digits, learning rate 0.1 has the highest test accuracy: 61.00%, mean of 2 seeds." in found.sentences
    assert "Figures on different data sets are not compared." in found.sentences
    assert all("MNIST" in line.title and "Digits" not in line.title for line in found.lines[:3])
    two = said(groups_of(runs(CNN), runs(FC, dataset="fashion-mnist")))
    assert two.lines == []
    assert two.sentences[0] == "MNIST: test accuracy 95.02%, mean of 5 seeds."
    both = said(
        groups_of(
            *(
                runs(values, model=model, dataset=of)
                for of in ("mnist", "digits")
                for model, values in (("fc", FC), ("cnn", CNN))
            )
        )
    )
    assert both.sentences[0].startswith("CNN instead of FC on MNIST brought between ")
    assert [line.title for line in both.lines] == ["CNN instead of FC, on MNIST", "CNN instead of FC, on Digits"]


def test_each_is_compared_with_the_best_in_the_same_direction_at_every_look() -> None:
    rates = {
        0.03: [0.886, 0.883, 0.889, 0.885, 0.887],
        0.1: [0.867, 0.864, 0.869, 0.866, 0.868],
        1.0: [0.7, 0.6, 0.8, 0.7, 0.6],
    }
    found = said(groups_of(*of_rates(rates)), WATCHED)
    for row in found.rows[1:]:
        judged = row.contrast.judged if row.contrast else None
        assert judged
        assert len(judged.looks) == 5
        last = judged.looks[-1]
        assert (last.mean, last.low, last.high) == (pytest.approx(judged.value), judged.low, judged.high)
        assert all(look.value < 0 for look in judged.looks)


def test_a_lower_loss_is_better() -> None:
    found = said(
        groups_of(
            *(runs([x, x + 0.01, x + 0.02, x], batch_size=size) for size, x in ((16, 0.3), (32, 0.5), (64, 0.4)))
        ),
        of="test/loss",
    )
    assert found.sentences[0] == "Batch size 16 is the best of 3; the others are ruled out."
    assert found.sentences[1].startswith("Batch size 16 has the lowest test loss: 0.3075")
    change = said(groups_of(runs([0.30, 0.31, 0.29]), runs([0.50, 0.52, 0.49], pixel_order="shuffled")), of="test/loss")
    assert change.sentences[0] == (
        "Shuffling the pixels raised the test loss by 0.189 to 0.218 (mean 0.203; worse in 3 of 3 seeds)."
    )


def test_seeds_that_do_not_match_are_paired_in_the_order_launched_while_watched() -> None:
    groups = groups_of(runs(CNN), runs(CNN_SHUFFLED, first_seed=11, pixel_order="shuffled"))
    found = said(groups, WATCHED)
    assert "paired in the order launched" in found.note
    judged = found.lines[0].contrast.judged
    assert judged
    assert [look.seed for look in judged.looks] == [None] * 5
    assert found.sentences[0].endswith("(mean 12.7; 5 runs each).")
    assert "Welch" in said(groups).note


def test_runs_with_different_seeds_are_told_as_they_are() -> None:
    groups = groups_of(runs([0.9], model="fc"), runs([0.85], first_seed=2, model="cnn"))
    assert said(groups, WATCHED).sentences[0] == "Test accuracy is 90.00% with FC and 85.00% with CNN (one run each)."


@pytest.mark.parametrize("untrained", [(), (3,), (0, 1, 2, 3)], ids=["none", "one", "all"])
def test_who_learned_nothing_is_said_first_and_two_of_them_are_not_compared(untrained: tuple[int, ...]) -> None:
    rates = {0.001: [0.52, 0.55, 0.50], 0.01: [0.86, 0.87, 0.85], 0.1: [0.88, 0.87, 0.89], 1.0: [0.098, 0.1, 0.101]}
    configurations = of_rates(rates)
    for place in untrained:
        configurations[place] = [{**one, "untrained": True} for one in configurations[place]]
    found = said(groups_of(*configurations))
    first = "All 3 runs of learning rate 1 learned nothing: no better than always giving the most frequent class."
    assert found.sentences[0].startswith(first) == (untrained == (3,))
    assert ("untrained" in decisions(found)) == (len(untrained) == 4)
    assert any("has the highest" in sentence for sentence in found.sentences) == (len(untrained) < 4)


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
        (["stopped: s", "stopped: s"], "Both runs of learning rate 0.3 were stopped."),
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


def test_who_was_stopped_is_said_in_one_sentence() -> None:
    rates = {0.1: [0.5, 0.51, "stopped: s"], 0.2: [0.6, "stopped: s", "stopped: s"], 0.3: [NAN.format(7), 0.4, 0.5]}
    found = said(groups_of(*of_rates(rates)))
    assert found.sentences[:2] == [
        "1 of 3 runs of learning rate 0.3 failed (loss became NaN, step 7); 2 trained.",
        "Stopped: 1 of 3 runs of learning rate 0.1; 2 of 3 runs of learning rate 0.2.",
    ]
    many = said(groups_of(*of_rates({rate / 10: ["stopped: s", 0.5] for rate in range(1, 9)})))
    assert many.sentences[0].endswith("of learning rate 0.6; runs of 2 more configurations.")


def test_who_has_not_ended_or_was_launched_again_has_not_dropped_out() -> None:
    again = [{**one, "seed": 1} for one in runs([NAN.format(7), 0.8, 0.7])]
    groups = groups_of(again, runs([None, "paused: p", "resuming: killed"], model="fc"))
    assert tree.make(groups, measure.parse("test/accuracy"), WATCHED).dropouts == ()


def test_one_that_failed_altogether_is_not_waited_for() -> None:
    rates = {0.1: [0.5, 0.51], 0.2: [0.6, 0.61], 0.3: [NAN.format(7)] * 2}
    found = said(groups_of(*(runs(values, **{"optimizer.lr": rate}) for rate, values in rates.items())))
    assert found.sentences[0] == "Both runs of learning rate 0.3 failed (loss became NaN, step 7)."
    assert not any("yet" in sentence for sentence in found.sentences)
    two = said(groups_of(runs(CNN), runs([NAN.format(7)] * 5, pixel_order="shuffled")))
    assert two.sentences[1] == "Shuffling the pixels can't be judged: no run trained with pixels shuffled."
    waiting = said(groups_of(runs(CNN), runs([NAN.format(7), None], pixel_order="shuffled")), Plan("running", 10, 1))
    assert waiting.sentences[1:] == [
        "Verdict when all 10 runs have ended: 1 to go.",
        "Test accuracy is 95.02% with pixels in order and no finished run with pixels shuffled so far (0 of 2 seeds).",
    ]


def test_many_dropouts_are_counted() -> None:
    groups = groups_of(*of_rates({rate: [NAN.format(7), 0.5] for rate in (0.1, 0.2, 0.3, 0.4, 0.5)}))
    assert said(groups).sentences[3] == "Of 2 more configurations, runs did not end with a result either."


@pytest.mark.parametrize(
    ("first", "second", "sentences"),
    [
        (
            [900.0, 950.0, 1000.0, 980.0, 940.0, "none"],
            ["none"] * 6,
            [
                "A test accuracy of 90% was reached by 5 of 6 runs of CNN, in order, by none of 6 of CNN, shuffled "
                "(Fisher's exact test, p 0.015; tested every 938 steps).",
                "Shuffling the pixels can't be judged by how soon: not all runs got there.",
            ],
        ),
        (
            ["none", "none"],
            ["none", "none"],
            [
                "A test accuracy of 90% was reached by none of 2 runs of CNN, in order, by none of 2 of CNN, shuffled "
                "(Fisher's exact test, p 1; tested every 938 steps)."
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
    assert found[0].startswith("Shuffling the pixels raised the steps to a test accuracy of 90% by 992 to 1,021 steps")


RACE = Plan("watched", finds_best=True)


def test_while_the_best_is_looked_for_the_highest_is_ahead_over_the_seeds_that_both_have() -> None:
    first, second = [0.66, 0.65, 0.30], [0.65, 0.64, 0.80]
    found = said(groups_of(*of_rates({0.03: first, 0.1: second, 0.2: [0.5, 0.5, None]})), RACE)
    assert found.sentences[0] == "Learning rate 0.1 has the highest test accuracy: 69.67%, mean of 3 seeds."
    assert all(row.contrast.judged.value < 0 for row in found.rows if row.contrast and row.contrast.judged)


def test_two_are_a_race_too_and_a_knob_of_two_values_is_no_change() -> None:
    values = {0.01: [0.7 + at for at in SEEDS], 0.1: [0.9 + at / 2 for at in SEEDS]}
    found = said(groups_of(*of_rates(values)), RACE)
    assert found.sentences[0] == "Learning rate 0.1 is the best of 2; the other is ruled out."
    assert found.knob is None


def test_one_may_be_ruled_out_by_another_than_the_highest() -> None:
    random = np.random.default_rng(3)
    steady = 0.002 * random.normal(size=12)
    wild = 0.15 * random.normal(size=12)
    top = [round(0.72 + a, 4) for a in wild]
    found = said(
        groups_of(*of_rates({0.01: (0.60 + steady / 2).tolist(), 0.1: (0.70 + steady).tolist(), 1.0: top})), RACE
    )
    (row,) = (row for row in found.rows if row.value == "0.01")
    assert (row.word, row.contrast and row.contrast.reason) == ("ruled out by 0.1", "behind another")
    assert found.sentences[0] == "0.1 and 1 may be best; 0.01 is ruled out."


def test_what_the_images_held_out_chose_is_reported_on_the_test() -> None:
    held_out = {0.01: [0.7 + at for at in SEEDS], 0.1: [0.9 + at / 2 for at in SEEDS]}
    groups = groups_of(*of_rates(held_out))
    figures = {"test/accuracy": Figure(summary([0.88, 0.89]), None, ((1, 0.88), (2, 0.89)))}
    groups = [replace(group, figures=figures) for group in groups]
    found = said(groups, RACE, "validation/accuracy")
    assert "Its test accuracy, which chose nothing: 88.50%, mean of 2 seeds." in found.sentences
    assert not any("chose nothing" in one for one in said(groups, RACE).sentences)


def test_what_pairing_by_seed_was_worth_is_said_where_it_can_be_told() -> None:
    common = 0.02 * np.random.default_rng(2).normal(size=8)
    own = 0.005 * np.random.default_rng(3).normal(size=(2, 8))
    together = groups_of(runs((0.9 + common + own[0]).tolist(), batch_size=64), runs((0.8 + common + own[1]).tolist()))
    assert "paired by seed (worth about " in said(together).note
    (contrast,) = tree.make(together, measure.parse("test/accuracy"), OVER).contrasts
    values = np.array([[value for _, value in side.values] for side in contrast.sides])
    assert contrast.pairing == pytest.approx(values.var(1, ddof=1).sum() / (values[1] - values[0]).var(ddof=1))
    apart = [runs((0.9 + 4 * own[0]).tolist(), batch_size=64), runs((0.8 + 4 * own[1]).tolist())]
    assert "paired by seed;" in said(groups_of(*apart)).note
    few = [runs([0.9, 0.91, 0.92, 0.9], batch_size=64), runs([0.8, 0.82, 0.81, 0.8])]
    assert "paired by seed;" in said(groups_of(*few)).note
