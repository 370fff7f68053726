"""Contrasts of one family are made and decided here. Pure, no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.compare.facts import Contrast, Decision, Dropouts, Kind, Plan, Side, Step, Untrained
from app.compare.groups import GONE, Group, Member
from app.compare.judged import Finding, Mode, cut, finding, judge, more_seeds
from app.compare.measure import Measure
from app.compare.statistics import is_paired


@dataclass(frozen=True)
class Family:
    """What contrasts are made of."""

    groups: Sequence[Group]
    measure: Measure
    plan: Plan
    smallest: float

    def contrast(
        self,
        kind: Kind,
        steps: tuple[Step, ...],
        weights: Sequence[float],
        places: Sequence[int],
        family: int,
        *,
        is_watched: bool = False,
    ) -> Contrast:
        """One of so many that are decided together. `is_watched`: whatever the plan, as others of them are."""
        parts = [self.groups[place] for place in places]
        seen = is_watched or any(member.seen and member.done for group in parts for member in group.by_seed.values())
        state = self.plan.state
        mode: Mode = "pending" if state == "running" else "watched" if state == "watched" or seen else "fixed"
        judged = judge(weights, parts, mode, family)
        if judged is not None and self.measure.is_fraction:
            judged = cut(judged, sum(map(abs, weights)) / 2)
        used = judged.used if judged else tuple(tuple(group.sample.items()) for group in parts)
        sides = tuple(
            Side(place, float(weight), values) for place, weight, values in zip(places, weights, used, strict=True)
        )
        launched = [set(group.by_seed) for group in parts]
        common = len(set.intersection(*launched)) if is_paired(launched) else min(map(len, launched))
        made = Contrast(kind, steps, sides, judged, mode, family, common, "open")
        decision = self._decide(made, parts)
        more = more_seeds(judged, mode, family, self.smallest) if judged and decision == "open" else None
        return replace(made, decision=decision, more=more)

    def _decide(self, made: Contrast, parts: Sequence[Group]) -> Decision:
        """The first of the closed list that holds."""
        judged = made.judged
        if made.mode == "pending":
            return "pending"
        gone = any(not group.sample and all(one.has_ended for one in group.by_seed.values()) for group in parts)
        if self.measure.is_until and any(len(group.sample) < group.seeds_done for group in parts):
            return "unreached"
        if judged is None or judged.n < 2:
            return "none" if gone else "too few"
        if judged.deviation == 0 and judged.value == 0:
            return "equal"
        if not self.measure.is_time and all(group.is_untrained for group in parts):
            return "untrained"
        if judged.centre == "none" or judged.deviation == 0:
            return "unfit"
        if judged.low is None or judged.high is None:
            return "unfit" if judged.outlier and made.mode == "fixed" else "too few"
        found: Finding = finding(judged.low, judged.high, self.smallest)
        return "unfit" if judged.outlier and found == "open" else found


def untrained(place: int, group: Group) -> Untrained:
    done = [member for member in group.by_seed.values() if member.done]
    return Untrained(place, sum(member.untrained for member in done), len(done))


def dropouts(place: int, group: Group) -> Dropouts | None:
    done = {member.seed for member in group.members if member.done}
    gone: dict[str, dict[int, Member]] = {status: {} for status in GONE}
    for member in group.members:
        if member.status in gone and member.seed not in done:
            for of_status in gone.values():
                of_status.pop(member.seed, None)  # its last try counts
            gone[member.status][member.seed] = member
    if not any(gone.values()):
        return None
    failed, lost, stopped = (tuple(one.run for one in of_status.values()) for of_status in gone.values())
    causes = tuple(one.cause or "" for one in gone["failed"].values())
    runs = len({member.seed for member in group.members})
    return Dropouts(place, runs, failed, lost, stopped, causes, tuple(group.sample.values()))
