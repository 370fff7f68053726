"""The plan of a launch: made once from what was asked for, then shown, checked and launched."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple, Self

from app.spec import stored
from app.spec.experiment import ExperimentSpec
from trainer import paths
from trainer.spec import RunSpec


class Cell(NamedTuple):
    """One configuration that a question compares."""

    weight: float
    spec: RunSpec
    """With any seed."""

    def with_seed(self, seed: int) -> RunSpec:
        return self.spec.model_copy(update={"seed": seed})


@dataclass(frozen=True)
class Plan:
    """The runs of a launch, in the order in which they are listed."""

    specs: tuple[RunSpec, ...]
    cells: tuple[Cell, ...] = ()
    """Of a question: what it compares; more of their seeds may follow."""

    @classmethod
    def of(cls, experiment: ExperimentSpec) -> Self:
        """Every combination of the grid. Raises SpecError naming every field that is wrong."""
        return cls(tuple(experiment.expand()))

    @classmethod
    def of_seeds(cls, cells: Sequence[Cell], seeds: Sequence[int]) -> Self:
        """Sets of one seed, a cell each."""
        return cls(tuple(cell.with_seed(seed) for seed in seeds for cell in cells), tuple(cells))

    @property
    def configurations(self) -> dict[str, list[RunSpec]]:
        """The specs by configuration, in the order first seen."""
        found: dict[str, list[RunSpec]] = {}
        for spec in self.specs:
            found.setdefault(stored.configuration(spec.to_json()), []).append(spec)
        return found

    @property
    def seeds(self) -> int:
        """How many different ones."""
        return len({spec.seed for spec in self.specs})


def turns(specs: Sequence[RunSpec], experiment_id: int) -> list[int]:
    """The order in which runs that are queued together go: seeds outermost, a seed's configurations mixed.

    So an experiment is balanced at every moment: its first seed is there of all configurations before the second
    begins, and no configuration always comes first. Mixed by a draw from the experiment's id and the seed's rank. Even
    numbers: between two runs there is room for those that go ahead of the second.
    """
    ranks: dict[int, list[int]] = {}
    for place, spec in enumerate(specs):
        ranks.setdefault(spec.seed, []).append(place)
    found = [0] * len(specs)
    turn = 0
    for rank, places in enumerate(ranks.values()):
        for place in Random(f"{experiment_id}-{rank}").sample(places, len(places)):
            found[place] = turn
            turn += 2
    return found


def run_names(specs: Sequence[RunSpec]) -> list[str]:
    """A short name for each run: model, pixel order, what else varies, seed (`cnn-shuffled-lr-0.1-2`)."""
    described = [paths.flat(spec.to_json()) for spec in specs]
    known = dict.fromkeys(path for knobs in described for path in knobs)
    always = ("model", "pixel_order", "seed")
    # a knob that only some models have (model.n_hidden) varies only if those models have several values of it
    varied = [
        path
        for path in known
        if path not in always and len({str(knobs[path]) for knobs in described if path in knobs}) > 1
    ]
    names = []
    for knobs in described:
        words = [knobs["model"], knobs["pixel_order"]]
        for path in varied:
            if path in knobs:
                words += [paths.leaf(path), f"{knobs[path]}"]
        names.append("-".join([*words, str(knobs["seed"])]))
    return names
