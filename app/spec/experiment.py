"""Experiments: a base spec and a grid of varied knobs, or values drawn at random, expanded into runs' specs."""

import itertools
import math
from random import Random
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.spec import knobs
from trainer import paths
from trainer.entries import shown
from trainer.spec import Problem, RunSpec, SpecError, instead_of, parse

MAX_RUNS = 500
MAX_NAME = 200


class Range(BaseModel):
    """From where to where a knob is drawn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: float = Field(allow_inf_nan=False)
    high: float = Field(allow_inf_nan=False)
    log: bool = Field(
        default=False, description="Evenly over the logarithm, as a learning rate is drawn; low is over 0."
    )

    @model_validator(mode="after")
    def _is_range(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"goes from {self.low:g} to {self.high:g}: high has to be above low")
        if self.log and self.low <= 0:
            raise ValueError(f"begins at {self.low:g}: a logarithmic one begins above 0")
        return self

    def draw(self, random: Random, *, whole: bool) -> float:
        """Uniform; a float to three significant digits, as people write them."""
        share = random.random()
        if self.log:
            value = math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
        else:
            value = self.low + share * (self.high - self.low)
        return round(value) if whole else min(max(float(f"{value:.3g}"), self.low), self.high)


class RandomSearch(BaseModel):
    """Values drawn at random (J. Bergstra, Y. Bengio, JMLR 13, 2012): each draw takes one of every range."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(ge=1, le=MAX_RUNS, description="How many draws.")
    ranges: dict[str, Range] = Field(min_length=1, max_length=20, description="Knob path to its range.")
    seed: int = Field(default=1, ge=0, le=2**63 - 1, description="The same seed draws the same values.")

    def draws(self) -> list[dict[str, float]]:
        """Knob path to value, a draw each. More draws begin with the same ones."""
        random = Random(self.seed)
        whole = {path: _is_whole(path) for path in self.ranges}
        return [
            {path: of_path.draw(random, whole=whole[path]) for path, of_path in self.ranges.items()}
            for _ in range(self.count)
        ]


class ExperimentSpec(BaseModel):
    """Every combination of the grid's values, on top of the base, becomes a run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    base: dict[str, Any] = Field(
        default={}, description="Knobs that all runs share, as in a run's spec or by path; others have their defaults."
    )
    grid: dict[str, list[Any]] = Field(
        default={},
        description="Knob path to the values it takes: `model`, `model.n_hidden`, `optimizer.lr`, `pixel_order`, "
        f"`seed`, … At most {MAX_RUNS} runs.",
    )
    random: RandomSearch | None = Field(
        default=None, description="Values drawn at random, each draw with every combination of the grid."
    )

    def expand(self) -> list[RunSpec]:
        """The runs' specs, in the grid's order, seeds last. Raises SpecError naming every field that is wrong."""
        self._check_grid()
        keys = sorted(paths.in_order(self.grid), key=lambda key: key == "seed")  # a configuration's seeds together
        specs: list[RunSpec] = []
        problems: dict[Problem, None] = {}
        draws = self.random.draws() if self.random else [{}]
        for draw, *values in itertools.product(draws, *(self.grid[key] for key in keys)):
            spec = paths.nested({**self.base, **draw, **dict(zip(keys, values, strict=True))})
            try:
                specs.append(parse(spec))
            except SpecError as error:
                problems |= dict.fromkeys(error.problems)
        if problems:
            raise SpecError(problems)
        return specs

    def _check_grid(self) -> None:
        problems = []
        for key, values in self.grid.items():
            if not knobs.is_path(key):
                words = f"grid.{key:.60} is not a knob: {instead_of(key, 'grid.')}"
                problems.append(Problem(f"grid.{key:.60}", words))
            elif not values:
                problems.append(Problem(f"grid.{key}", f"grid.{key} is empty: give it a value or leave it out"))
            for index, value in enumerate(values[: MAX_RUNS + 1]):
                if value in values[:index]:
                    again = f"grid.{key:.60} has {shown(value)} twice: leave one out"
                    problems.append(Problem(f"grid.{key:.60}", again))
                    break
        for key in self.random.ranges if self.random else ():
            if knobs.numeric(key) is None:
                words = f"random.ranges.{key:.60} is no knob with numbers: choose one, as optimizer.lr"
                problems.append(Problem(f"random.ranges.{key:.60}", words))
            elif key in self.grid:
                words = f"random.ranges.{key:.60} is in the grid too: leave it out of one of them"
                problems.append(Problem(f"random.ranges.{key:.60}", words))
        total = math.prod(len(values) for values in self.grid.values()) * (self.random.count if self.random else 1)
        if total > MAX_RUNS:
            many = f"grid makes {total:,} runs: choose fewer values, at most {MAX_RUNS} runs an experiment"
            problems.append(Problem("grid", many))
        if problems:
            raise SpecError(problems)


def _is_whole(path: str) -> bool:
    knob = knobs.numeric(path)
    return knob is not None and knob.kind == "int"
