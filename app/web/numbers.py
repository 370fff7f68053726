"""Numbers as JSON has them."""

from typing import Any

import numpy as np
import numpy.typing as npt


def finite(values: npt.NDArray[Any]) -> list[float | None]:
    """An array as a list; JSON has neither NaN nor infinities: null stands for them."""
    there = np.isfinite(values)
    if there.all():
        numbers: list[float | None] = values.tolist()
        return numbers
    return [value if known else None for value, known in zip(values.tolist(), there.tolist(), strict=True)]
