"""A data set on the device."""

from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from trainer import catalog
from trainer.entries import Arrays
from trainer.permutation import permutation
from trainer.spec import RunSpec

Part = Literal["test", "validation"]


class LoadedData:
    """A whole data set on the device: images uint8 (N, C, H, W), labels int64 (N,).

    Shuffled pixels are moved once, here, unless the training images change in each epoch: then they are moved after
    that, a batch at a time. Each batch is normalised when it is taken. Images that are held out for validation are a
    part of their own.
    """

    def __init__(self, spec: RunSpec, arrays: Arrays, device: torch.device) -> None:
        self.spec, self.device = spec, device
        dataset = catalog.DATASETS[spec.dataset]
        half = [0.5] * len(dataset.mean)
        mean, std = (half, half) if spec.normalization == "half" else (dataset.mean, dataset.std)
        # (pixel / 255 - mean) / std in one multiplication and one addition
        self._scale, self._shift = (
            torch.tensor(values, device=device)[:, None, None]
            for values in ([1 / (255 * s) for s in std], [-m / s for m, s in zip(mean, std, strict=True)])
        )
        self._layout = torch.channels_last if catalog.MODELS[spec.model.name].channels_last else torch.contiguous_format
        self._order = None
        if spec.pixel_order == "shuffled":
            height, width = dataset.shape[1:]
            self._order = torch.from_numpy(permutation(spec.permutation_seed, height * width)).to(device)
        images, labels, *tests = (torch.from_numpy(np.array(part)).to(device) for part in arrays)
        held: list[Tensor] = []
        if spec.validation:
            out = torch.from_numpy(held_out(spec, np.asarray(arrays[1])))
            rest = torch.from_numpy(np.setdiff1d(np.arange(len(labels)), out.numpy())).to(device)
            held, (images, labels) = [images[out.to(device)], labels[out.to(device)]], (images[rest], labels[rest])
        self.images, self.labels = images if spec.augments else self._ordered(images), labels
        self._parts: dict[Part, tuple[Tensor, Tensor]] = {"test": (self._ordered(tests[0]), tests[1])}
        if held:
            self._parts["validation"] = (self._ordered(held[0]), held[1])
        self._augmented = Augmented(spec, 0, len(labels), device) if spec.augments else None

    def draw(self, epoch: int) -> None:
        """Change the training images as in an epoch (from 0) from now on, where they are changed."""
        if self._augmented is not None:
            self._augmented.draw(epoch)

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Training images at `indices`, float32 and normalised (n, C, H, W), and their labels (n,)."""
        images = self.images[indices]
        if self._augmented is not None:
            images = self._ordered(self._augmented(images, indices))
        return self._normalised(images), self.labels[indices]

    def labels_of(self, part: "Part") -> Tensor:
        """Of all images of the test set, or of those held out."""
        return self._parts[part][1]

    def batch_of(self, part: "Part", which: slice) -> tuple[Tensor, Tensor]:
        """Some images of the test set, or of those held out, as `batch`."""
        images, labels = self._parts[part]
        return self._normalised(images[which]), labels[which]

    def _normalised(self, images: Tensor) -> Tensor:
        pixels = images.to(torch.float32, memory_format=self._layout)
        return pixels.mul_(self._scale).add_(self._shift)

    def _ordered(self, images: Tensor) -> Tensor:
        return images if self._order is None else images.flatten(2)[:, :, self._order].reshape(images.shape)


def held_out(spec: RunSpec, labels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Places of the training images that are held out, in order: of each class its share of `spec.validation`, drawn
    from `validation_seed` alone; the largest remainders get what rounding leaves."""
    classes, counts = np.unique(labels, return_counts=True)
    shares = counts * spec.validation / len(labels)
    wanted = np.floor(shares).astype(int)
    wanted[np.argsort(wanted - shares, kind="stable")[: spec.validation - wanted.sum()]] += 1
    random = np.random.default_rng(spec.validation_seed)
    parts = [
        random.permutation(np.flatnonzero(labels == one))[:count] for one, count in zip(classes, wanted, strict=True)
    ]
    return np.sort(np.concatenate(parts))


class Augmented:
    """Random crops, flips and cutouts of an epoch, drawn for every training image from seed and epoch alone.

    The distribution is that of torchvision's RandomCrop(size, padding) and RandomHorizontalFlip: each offset from 0 to
    2·padding equally likely, half of the images mirrored. A cutout's middle is any pixel, so that a part of it may lie
    outside (DeVries, Taylor: Improved regularization with cutout, 2017); it is painted over in the data set's mean.
    """

    def __init__(self, spec: RunSpec, epoch: int, size: int, device: torch.device) -> None:
        self._spec, self._size = spec, size
        self.padding: int = spec.crop_padding
        self.cutout: int = spec.cutout
        dataset = catalog.DATASETS[spec.dataset]
        colour = [round(255 * value) for value in dataset.mean]
        self.colour = torch.tensor(colour, dtype=torch.uint8, device=device)[None, :, None, None]
        self.middle_row, self.middle_column, self.top, self.left = torch.empty(
            (4, size), dtype=torch.int64, device=device
        )
        self.flipped = torch.empty(size, dtype=torch.bool, device=device)
        self.draw(epoch)

    def draw(self, epoch: int) -> None:
        """Let the changes be those of another epoch, in the same memory: a captured step goes on to read there."""
        new = (*cutouts(self._spec, epoch, self._size), *drawn(self._spec, epoch, self._size))
        for kept, values in zip(
            (self.middle_row, self.middle_column, self.top, self.left, self.flipped), new, strict=True
        ):
            kept.copy_(torch.from_numpy(values))

    def __call__(self, images: Tensor, indices: Tensor) -> Tensor:
        """The images (n, C, H, W), which are those at `indices` of the training set, cropped and flipped."""
        height, width = images.shape[2:]
        padded = functional.pad(images, [self.padding] * 4)
        rows = self.top[indices, None] + torch.arange(height, device=images.device)
        across = torch.arange(width, device=images.device).expand(len(indices), width)
        columns = self.left[indices, None] + torch.where(self.flipped[indices, None], width - 1 - across, across)
        each = torch.arange(len(indices), device=images.device)[:, None, None]
        cropped = padded.permute(0, 2, 3, 1)[each, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
        return self._cut(cropped, indices) if self.cutout else cropped

    def _cut(self, images: Tensor, indices: Tensor) -> Tensor:
        def within(middles: Tensor, side: int) -> Tensor:
            first = middles[indices, None] - self.cutout // 2
            places = torch.arange(side, device=images.device)
            return (places >= first) & (places < first + self.cutout)

        rows, columns = within(self.middle_row, images.shape[2]), within(self.middle_column, images.shape[3])
        return torch.where((rows[:, :, None] & columns[:, None, :])[:, None], self.colour, images)


def drawn(
    spec: RunSpec, epoch: int, size: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """First row and first column of each training image's crop, and whether it is mirrored; shape (size,) each."""
    generator = np.random.default_rng([spec.seed, epoch, 1])  # [seed, epoch] alone gives the data order
    top, left = generator.integers(0, 2 * spec.crop_padding + 1, size=(2, size))
    flipped = generator.integers(0, 2, size=size).astype(bool)
    return top, left, flipped if spec.flip == "horizontal" else np.zeros(size, bool)


def cutouts(spec: RunSpec, epoch: int, size: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Row and column of the middle of each training image's cutout; shape (size,) each, zeros where there are none."""
    if not spec.cutout:
        return np.zeros(size, np.int64), np.zeros(size, np.int64)
    _, height, width = catalog.DATASETS[spec.dataset].shape
    generator = np.random.default_rng([spec.seed, epoch, 2])  # a stream of its own: crops and flips stay as they were
    return generator.integers(0, height, size=size), generator.integers(0, width, size=size)
