"""What compared runs ran on, and whether that could be part of a difference between them. Pure functions, no I/O."""

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.compare.measure import Measure

Environment = Mapping[str, Any]
"""Of an attempt, as its worker noted it: `torch`, `precision`, `device_title`, …"""
TITLES = {
    "torch": "PyTorch",
    "cuda": "CUDA",
    "cudnn": "cuDNN",
    "driver": "NVIDIA driver",
    "runyard": "Runyard",
    "precision": "Precision, settled",
    "device_title": "Device",
    "python": "Python",
    "host": "Machine",
}
ACCURACY = ("torch", "cuda", "cudnn", "runyard", "precision")
"""What can change where a training ends by more than its last bits."""
SPEED = (*ACCURACY, "driver", "device_title", "host")


@dataclass(frozen=True)
class Ran:
    """One thing in which the runs' environments differ."""

    key: str
    values: tuple[str, ...]
    """In the order first seen."""
    apart: bool
    """Some two configurations have no value of it in common: what differs between them may come from it."""

    @property
    def title(self) -> str:
        return TITLES[self.key]


def differing(environments: Sequence[Iterable[Environment]], varied: Collection[str]) -> list[Ran]:
    """`environments`: those of each configuration's runs, all attempts. `varied`: knobs that differ, which the spec
    says already."""
    found = []
    for key in TITLES:
        if key in varied:
            continue
        values = [[str(one[key]) for one in of_group if one.get(key)] for of_group in map(list, environments)]
        distinct = tuple(dict.fromkeys(itertools.chain.from_iterable(values)))
        if len(distinct) > 1:
            known = [set(of_group) for of_group in values if of_group]
            apart = any(not one & other for one, other in itertools.combinations(known, 2))
            found.append(Ran(key, distinct, apart))
    return found


def caution(found: Iterable[Ran], measure: Measure) -> str:
    """What to bear in mind of a difference; empty where there is nothing."""
    concerned = SPEED if measure.is_time else ACCURACY
    apart = [one for one in found if one.apart and one.key in concerned]
    if not apart:
        return ""
    what = " and ".join(f"{one.title} ({', '.join(one.values)})" for one in apart)
    return f"Configurations ran with different {what}: that may be part of a difference."
