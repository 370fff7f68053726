"""A net's first layer as images: what each of its units looks for."""

import numpy as np
import numpy.typing as npt
from torch import nn

from trainer import catalog
from trainer.permutation import permutation
from trainer.spec import RunSpec

MOST = 64


def first_layer(spec: RunSpec, model: nn.Module) -> npt.NDArray[np.float32] | None:
    """The weights of the first layer, at most MOST units, those with the largest weights first: float32,
    shape (units, channels, height, width). None where it is neither a convolution nor a linear layer on the image.

    A linear layer's weights stand where their pixels stand in the original image, also when the net sees them shuffled.
    """
    first = next((part for part in model.modules() if isinstance(part, nn.Conv2d | nn.Linear)), None)
    shape = catalog.DATASETS[spec.dataset].shape
    if first is None:
        return None
    weights = first.weight.detach().float().cpu().numpy()
    if isinstance(first, nn.Linear):
        if weights.shape[1] != np.prod(shape):
            return None
        weights = weights.reshape(len(weights), shape[0], -1)
        if spec.pixel_order == "shuffled":
            placed = np.empty_like(weights)
            placed[:, :, permutation(spec.permutation_seed, shape[1] * shape[2])] = weights
            weights = placed
        weights = weights.reshape(len(weights), *shape)
    elif weights.shape[1] != shape[0]:
        return None
    largest = np.argsort(-np.abs(weights).max(axis=(1, 2, 3)), kind="stable")[:MOST]
    found: npt.NDArray[np.float32] = np.ascontiguousarray(weights[largest])
    return found
