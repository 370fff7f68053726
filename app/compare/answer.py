"""The answer line: means and differences in words. It claims nothing beyond these runs. Pure functions, no I/O."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from app.compare.groups import Figure, Group

METRIC = "test/accuracy"
Name = Callable[[Group], str]


@dataclass(frozen=True)
class Row:
    """One line of the small table: a configuration with pixels in order beside the same with pixels shuffled."""

    name: str
    original: Figure | None
    shuffled: Figure | None

    @property
    def difference(self) -> float | None:
        """Shuffled minus original, as a fraction."""
        if self.original is None or self.shuffled is None:
            return None
        return self.shuffled.mean - self.original.mean


@dataclass(frozen=True)
class Answer:
    """Sentences for the top of a comparison, and the table that bears them out."""

    sentences: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


def answer(groups: Sequence[Group], name: Name, base_name: Name) -> Answer:
    """`name` gives a configuration's name, `base_name` the same without its pixel order."""
    pairs = _by_order(groups)
    if pairs:
        rows = [
            Row(base_name(original), original.figures.get(METRIC), shuffled.figures.get(METRIC))
            for original, shuffled in pairs
        ]
        rows.sort(key=lambda row: -abs(row.difference) if row.difference is not None else 1)
        return Answer([_shuffling(row) for row in rows], rows)
    measured = sorted((group for group in groups if METRIC in group.figures), key=lambda g: -g.figures[METRIC].mean)
    if not measured:
        return Answer(["No run has finished yet."] if groups else [])
    return Answer(_best(measured, name, waiting=len(groups) - len(measured)))


def _by_order(groups: Sequence[Group]) -> list[tuple[Group, Group]]:
    """Pairs that differ in nothing but the pixel order: (original, shuffled)."""
    found: dict[str, dict[str, Group]] = {}
    for group in groups:
        rest = {path: value for path, value in group.knobs.items() if path not in ("pixel_order", "permutation_seed")}
        found.setdefault(str(sorted(rest.items())), {})[group.knobs["pixel_order"]] = group
    return [(pair["original"], pair["shuffled"]) for pair in found.values() if len(pair) == 2]


def _shuffling(row: Row) -> str:
    if row.original is None and row.shuffled is None:
        return f"{row.name}: no finished run yet."
    if row.original is None or row.shuffled is None:
        missing = "pixels in order" if row.original is None else "shuffled pixels"
        return f"{row.name}: no finished run on {missing} yet."
    points = 100 * (row.shuffled.mean - row.original.mean)
    if abs(points) < 0.05:
        return f"{row.name}: the same mean accuracy with shuffled pixels."
    word = "lower" if points < 0 else "higher"
    return f"{row.name}: mean accuracy {abs(points):.1f} points {word} with shuffled pixels."


def _best(measured: Sequence[Group], name: Name, waiting: int) -> list[str]:
    first = measured[0].figures[METRIC]
    runs = "one run" if first.n == 1 else f"{first.n} runs"
    if len(measured) == 1:
        said = [f"{name(measured[0])}: mean accuracy {first.mean:.2%} of {runs}."]
    else:
        gap = 100 * (first.mean - measured[1].figures[METRIC].mean)
        said = [
            f"{name(measured[0])} has the highest mean accuracy, {first.mean:.2%} of {runs}.",
            f"That is {gap:.1f} points above {name(measured[1])}.",
        ]
    if waiting:
        said.append(
            "One configuration has no finished run yet."
            if waiting == 1
            else f"{waiting} configurations have no finished run yet."
        )
    return said
