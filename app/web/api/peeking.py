"""/peeking: what looking after every seed does, simulated."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from app.compare import peeking as simulation
from app.compare import sequence
from app.web.limits import SlowWork, slowly
from app.web.problems import documented
from app.web.schemas import MAX_ID

router = APIRouter(tags=["compare"])


class PeekingOut(BaseModel):
    """Experiments with two equal configurations, as shares after each number of seeds."""

    experiments: int
    seed: int
    seeds: list[int] = Field(description="2, 3, … 30.")
    ordinary: list[float] = Field(description="Found a difference so far: an ordinary 95% interval left out 0.")
    sequence: list[float] = Field(description="Found one so far: the interval that is valid while watched left out 0.")
    planned: list[float] = Field(description="Found one by a single look at exactly this number of seeds.")
    least_seeds: int = Field(description="With fewer seeds the interval that is valid while watched settles nothing.")


_SLOW = SlowWork("simulations", at_once=1, waiting=4)


@router.get("/peeking", summary="Simulate looking after every seed", responses=documented(422, 503))
@slowly(_SLOW)
def peeking(
    experiments: Annotated[int, Query(ge=100, le=20_000, description="How many experiments.")] = 2000,
    seed: Annotated[int, Query(ge=0, le=MAX_ID, description="Seed of the simulation.")] = 1,
) -> PeekingOut:
    """In every experiment two configurations that are equal are compared by up to 30 seeds: whatever is found is a
    false alarm."""
    found = simulation.peeked(experiments, seed)
    return PeekingOut(
        experiments=experiments,
        seed=seed,
        seeds=found.seeds,
        ordinary=found.ordinary,
        sequence=found.sequence,
        planned=[1 - covered for covered in found.single],
        least_seeds=sequence.least(),
    )
