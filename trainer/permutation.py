"""The one fixed pixel permutation of `pixel_order: shuffled` ("permuted MNIST"). No torch: the server shows it."""

import numpy as np
import numpy.typing as npt


def permutation(seed: int, pixels: int) -> npt.NDArray[np.int64]:
    """Source position of each pixel of the shuffled image, shape (pixels,).

    The same for every image, channel and model that is given this seed: `shuffled = image.flatten()[permutation]`.
    """
    return np.random.default_rng(seed).permutation(pixels)
