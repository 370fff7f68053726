"""A data set on the device."""

import numpy as np
import torch
from torch import Tensor

from trainer import catalog
from trainer.data.prepared import Arrays
from trainer.permutation import permutation
from trainer.spec import RunSpec


class LoadedData:
    """A whole data set on the device: images uint8 (N, C, H, W), labels int64 (N,).

    With `pixel_order: shuffled` the pixels are moved once, here; each batch is normalised when it is taken.
    """

    def __init__(self, spec: RunSpec, arrays: Arrays, device: torch.device) -> None:
        dataset = catalog.DATASETS[spec.dataset]
        self.device = device
        self.mean, self.std = dataset.mean, dataset.std
        order = None
        if spec.pixel_order == "shuffled":
            height, width = dataset.shape[1:]
            order = torch.from_numpy(permutation(spec.permutation_seed, height * width)).to(device)
        images, labels, test_images, test_labels = (torch.from_numpy(np.array(part)).to(device) for part in arrays)
        self.images, self.test_images = _ordered(images, order), _ordered(test_images, order)
        self.labels, self.test_labels = labels, test_labels

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Training images at `indices`, float32 and normalised (n, C, H, W), and their labels (n,)."""
        return self._normalised(self.images[indices]), self.labels[indices]

    def test_batch(self, part: slice) -> tuple[Tensor, Tensor]:
        """A part of the test set, as `batch`."""
        return self._normalised(self.test_images[part]), self.test_labels[part]

    def _normalised(self, images: Tensor) -> Tensor:
        return images.float().div_(255).sub_(self.mean).div_(self.std)


def _ordered(images: Tensor, order: Tensor | None) -> Tensor:
    return images if order is None else images.flatten(2)[:, :, order].reshape(images.shape)
