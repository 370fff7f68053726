"""What to change in a run that failed, or learned nothing, so that another like it goes well: pure functions."""

import re
from collections.abc import Mapping
from typing import Any

from trainer import catalog

_DIVERGED = re.compile(r"(?:\w+ )?loss became ")
"""How the cause of a run begins whose loss is no number any more (app.jobs.causes)."""
LESS = 10
MOST_RATE = 10
"""Times the optimiser's default: above it a rate is seldom meant."""
MOST_MOMENTUM = 0.9


def is_diverged(cause: str | None) -> bool:
    """Its loss became NaN or infinite: from its checkpoint it would again."""
    return bool(cause and _DIVERGED.match(cause))


def mend(spec: Mapping[str, Any], cause: str | None, *, untrained: bool | None) -> dict[str, Any] | None:
    """Knob path to another value, of what usually helps; None where nothing is known to.

    Steps that were too large: a tenth of the rate, and at most ten times the optimiser's default, and no more momentum
    than is usual.
    """
    if not is_diverged(cause) and not untrained:
        return None
    optimizer = spec["optimizer"]
    known = catalog.OPTIMIZERS.get(optimizer["name"])
    defaults = {knob.name: knob.default for knob in known.knobs} if known else {}
    rate = optimizer["lr"] / LESS
    if "lr" in defaults:
        rate = min(rate, MOST_RATE * defaults["lr"])
    changes = {"optimizer.lr": float(f"{rate:.3g}")}
    if optimizer.get("momentum", 0.0) > MOST_MOMENTUM:
        changes["optimizer.momentum"] = MOST_MOMENTUM
    return changes
