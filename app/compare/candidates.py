"""Of several configurations those that may be the best. Pure, no I/O."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

import numpy as np

from app.compare import best, race, scale, sequence, statistics
from app.compare.facts import BLOCK, DECIDED, Contrast, Decision, Ranking, Rankings, Reason, Side, Step
from app.compare.family import Family, dropouts
from app.compare.groups import Group, differing
from app.compare.judged import Judged, Mode, cut, watched
from app.compare.measure import Measure
from app.compare.statistics import is_paired

MOST_FAILED = 1
"""A configuration of which more runs failed, or have not got what is compared, is not what one would choose."""


def rankings(family: Family) -> Rankings:
    """Of more than two configurations of a data set those that may be the best. Else corrected for all pairs, not for
    those with the best alone, since it was chosen by its looks."""
    groups = family.groups
    by_block: dict[Any, list[int]] = {}
    for place, group in enumerate(groups):
        by_block.setdefault(group.knobs.get(BLOCK), []).append(place)
    means = {
        place: sum(group.sample.values()) / len(group.sample) for place, group in enumerate(groups) if group.sample
    }
    finished = [[place for place in places if place in means] for places in by_block.values()]
    counted = finished
    if family.plan.finds_best:  # whoever may get there is counted from the start: else their number grows as they run
        counted = [
            [place for place in places if reason(place, groups[place], family.measure) is None]
            for places in by_block.values()
        ]
    pairs = sum(len(places) * (len(places) - 1) // 2 for places in counted)
    blocks = tuple(
        _scaled(family, _ranking(family, places, means, pairs), launched)
        for places, launched in zip(finished, by_block.values(), strict=True)
        if places
    )
    return Rankings(blocks, sum(group.waits for group in groups))


def _scaled(family: Family, ranking: Ranking, launched: Sequence[int]) -> Ranking:
    """With what the one knob's order tells, where there is one; `launched`: also those without a finished run."""
    varied = differing([family.groups[place] for place in launched])
    if not ranking.is_set or len(varied) != 1:
        return ranking
    ((knob, values),) = varied.items()
    if knob.endswith("seed") or not all(isinstance(value, int | float) for value in values):
        return ranking  # a seed is a number without an order
    out = [place for place in ranking.against if ranking.against[place].reason in ("untrained", "failing")]
    trained = [place for place in ranking.order if place not in out]
    trained.sort(key=lambda place: family.groups[place].knobs[knob])
    first, last, top = (family.groups[place].knobs[knob] for place in (trained[0], trained[-1], ranking.order[0]))
    trend = None
    if len(trained) > 2:
        trend = family.contrast("trend", (Step(knob, first, last),), scale.ranks(len(trained)), trained, 1)
    end = scale.end(values, top)
    lacking = scale.between(values, top) if end is None else scale.beyond(values, end)
    return replace(ranking, knob=knob, trend=trend, end=end, lacking=tuple(lacking))


def _ranking(family: Family, places: Sequence[int], means: Mapping[int, float], pairs: int) -> Ranking:
    order = sorted(places, key=lambda place: means[place], reverse=family.measure.greater_is_better)
    if (len(order) > 2 or family.plan.finds_best) and family.plan.state != "running" and not family.measure.is_until:
        out = {
            place: why for place in order if (why := reason(place, family.groups[place], family.measure)) is not None
        }
        rest = [place for place in order if place not in out]
        fixed = _is_fixed(family, order)
        ranked = _fixed_set(family, rest) if fixed else _watched_set(family, rest, pairs)
        if ranked is not None:
            top, comparisons = ranked.order[0], len(order) - 1 if fixed else pairs
            last = {place: _no_candidate(family, top, place, comparisons, why, fixed) for place, why in out.items()}
            return replace(ranked, order=(*ranked.order, *out), against={**ranked.against, **last}, is_set=True)
    top, *others = order
    return Ranking(tuple(order), {one: family.contrast("pair", (), (-1, 1), (top, one), pairs) for one in others})


def reason(place: int, group: Group, measure: Measure) -> Reason | None:
    """Why a configuration is no candidate, whatever its interval."""
    if group.is_untrained and not measure.is_time:
        return "untrained"
    dropped = dropouts(place, group)
    if dropped and len(dropped.failed) + len(dropped.lost) > MOST_FAILED:
        return "failing"
    return "no value" if group.seeds_done > MOST_FAILED and not group.sample else None


def _is_fixed(family: Family, places: Sequence[int]) -> bool:
    members = [member for place in places for member in family.groups[place].by_seed.values()]
    return family.plan.state == "over" and not any(member.seen and member.done for member in members)


def _fixed_set(family: Family, places: Sequence[int]) -> Ranking | None:
    """By Hsu's intervals, over the seeds that all have a value of; one that lacks some is compared with the best by
    itself, so that the others keep theirs. None: seeds don't match, or values are not as Student's t assumes.
    """
    if len(places) < 2:
        return Ranking(tuple(places), {}) if places else None
    launched = [set(family.groups[place].by_seed) for place in places]
    if not is_paired(launched):
        return None
    common = set.intersection(*launched)
    whole = [place for place in places if common <= set(family.groups[place].sample)]
    for core in (whole, list(places)):
        ranked = _compared(family, core, len(places) - 1)
        if ranked is None:
            continue
        top = ranked.order[0]
        others = {place: _apart(family, top, place, len(places) - 1) for place in places if place not in core}
        if any(one.judged is None and one.seeds_of_both for one in others.values()):
            return None  # a value lies too far off, or nothing spreads
        against = {**ranked.against, **others}
        if all(one.judged is None or not _is_ahead(one.judged, family.measure) for one in others.values()):
            order = sorted(against, key=lambda place: _behind(against[place], family.measure))
            return Ranking((top, *order), against)
    return None


def _is_ahead(judged: Judged, measure: Measure) -> bool:
    return judged.value != 0 and (judged.value > 0) == measure.greater_is_better


def _behind(contrast: Contrast, measure: Measure) -> float:
    value = contrast.judged.value if contrast.judged else math.inf
    return -value if measure.greater_is_better and contrast.judged else value


def _compared(family: Family, places: Sequence[int], comparisons: int) -> Ranking | None:
    """Those that have the same seeds, with the best of them."""
    samples = [family.groups[place].sample for place in places]
    seeds = list(statistics.seed_by_seed([0.0] * len(samples), samples)) if samples else []
    if len(places) < 2 or len(seeds) < 2:
        return None
    sign = 1.0 if family.measure.greater_is_better else -1.0
    found = best.standing([[sign * sample[seed] for seed in seeds] for sample in samples], comparisons=comparisons)
    top = int(found.top)
    against = {}
    for at, place in enumerate(places):
        if at == top:
            continue
        pair = [{seed: samples[one][seed] for seed in seeds} for one in (top, at)]
        judged = _judged(pair, float(found.half[at]))
        if judged is None:
            return None
        against[place] = _against(family, places[top], place, judged, comparisons)
    return Ranking((places[top], *against), against)


def _judged(pair: Sequence[statistics.Sample], half: float | None) -> Judged | None:
    """The second minus the first over the same seeds; `half` the width of its interval, None: there is none. None where
    a value lies too far off, or nothing spreads.
    """
    differences = list(statistics.seed_by_seed((-1, 1), pair).values())
    value, n = sum(differences) / len(differences), len(differences)
    if statistics.outlier(differences) is not None or (half == 0 and value != 0):
        return None
    used = tuple(tuple(sample.items()) for sample in pair)
    deviation = float(np.std(differences, ddof=1)) if n > 1 else None
    low, high = (None, None) if half is None else (value - half, value + half)
    effect = statistics.effect_size(value, pair)
    return Judged(value, n, "seed", used, deviation, low, high, None, effect, by_seed=tuple(differences))


def _watched_set(family: Family, places: Sequence[int], pairs: int) -> Ranking | None:
    """By intervals that hold however often one looks, for all pairs at once: which of them is the best may change. One
    that is behind any other is ruled out."""
    if not places:
        return None
    groups, measure = family.groups, family.measure
    differences = {
        (first, second): watched((-1, 1), (groups[first], groups[second]))
        for first, second in itertools.combinations(places, 2)
    }
    found = race.standing(
        places,
        differences,
        family.smallest,
        sequence.BOUND * max(1, pairs),
        greater_is_better=measure.greater_is_better,
    )
    top = _highest(family, found.left, differences)
    against = {}
    for place in places:
        if place == top:
            continue
        one = family.contrast("pair", (), (-1, 1), (top, place), pairs, is_watched=True)
        if place in found.behind:
            is_shown = one.judged is not None and one.judged.is_one_sided
            other = None if is_shown else found.behind[place]
            why: Reason = "behind" if is_shown else "behind another"
            one = replace(one, decision="ruled out", reason=why, behind=other, more=None)
        elif one.decision in DECIDED or one.decision == "equal":
            one = replace(one, decision="may be best", more=None)
        against[place] = one
    order = sorted(against, key=lambda place: (place in found.behind, _behind(against[place], measure)))
    return Ranking((top, *order), against, end_of_race=found.end)


def _highest(family: Family, places: Sequence[int], differences: Mapping[tuple[int, int], Sequence[float]]) -> int:
    """Of those that may be the best the one that none is ahead of, over the sets of runs that both have; where each is
    behind some other, the one that is so by least."""
    sign = 1.0 if family.measure.greater_is_better else -1.0
    ahead = {place: [0.0] for place in places}
    for (first, second), values in differences.items():
        if values and first in ahead and second in ahead:
            ahead[second].append(sign * fmean(values))
            ahead[first].append(-sign * fmean(values))
    return max(places, key=lambda place: (min(ahead[place]), sign * fmean(family.groups[place].sample.values())))


def _apart(family: Family, top: int, place: int, comparisons: int, reason: Reason | None = None) -> Contrast:
    """One that lacks seeds, or is no candidate for a reason: compared with the best over the seeds that both have."""
    samples = [family.groups[one].sample for one in (top, place)]
    seeds = list(statistics.seed_by_seed((-1, 1), samples))
    judged = None
    if seeds:
        pair = [{seed: sample[seed] for seed in seeds} for sample in samples]
        half = best.half_of_pair([pair[1][seed] - pair[0][seed] for seed in seeds], comparisons)
        judged = _judged(pair, half or None)
    return _against(family, top, place, judged, comparisons, reason)


def _no_candidate(family: Family, top: int, place: int, comparisons: int, reason: Reason, fixed: bool) -> Contrast:
    """One that is ruled out for a reason: by how much it is behind all the same."""
    if fixed:
        return _apart(family, top, place, comparisons, reason)
    one = family.contrast("pair", (), (-1, 1), (top, place), comparisons, is_watched=True)
    return replace(one, decision="ruled out", reason=reason, more=None)


def _against(
    family: Family, top: int, place: int, judged: Judged | None, comparisons: int, reason: Reason | None = None
) -> Contrast:
    """A configuration minus the best, of a plan that is over; decided by its interval unless there is a reason."""
    if judged is not None and family.measure.is_fraction:
        judged = cut(judged, 1.0)
    decision: Decision = "ruled out" if reason else "too few"
    if judged is not None and not reason:
        if judged.is_one_sided and not _is_ahead(judged, family.measure):
            decision, reason = "ruled out", "behind"
        elif judged.low is not None:
            decision = "may be best"
    parts = [family.groups[one] for one in (top, place)]
    used = judged.used if judged else tuple(tuple(group.sample.items()) for group in parts)
    sides = (Side(top, -1.0, used[0]), Side(place, 1.0, used[1]))
    launched = len(set(parts[0].by_seed) & set(parts[1].by_seed))
    mode: Mode = "watched" if family.plan.state == "watched" else "fixed"
    return Contrast("pair", (), sides, judged, mode, comparisons, launched, decision, reason=reason)
