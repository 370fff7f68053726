"""The tutorial's script: torchvision's data set and transforms, a DataLoader, a plain loop that looks at every loss.

What Runyard is measured against: the same net from the same seed, the same recipe, on the same device.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms
from torchvision.datasets import CIFAR10, MNIST

from trainer import catalog, loop
from trainer.prepared import Places, open_arrays
from trainer.spec import RunSpec, parse

WORKERS = 2  # processes of a DataLoader, as the tutorial has it
TORCHVISION: dict[str, Callable[..., Any]] = {"mnist": MNIST, "cifar10": CIFAR10}


class Items(Dataset[tuple[Tensor, int]]):
    """A prepared data set an image at a time, as torchvision's own give theirs: for those it hasn't got."""

    def __init__(self, name: str, places: Places, train: bool, transform: Callable[[Any], Tensor]) -> None:
        arrays = open_arrays(name, places)
        self.images, self.labels = arrays[:2] if train else arrays[2:]
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = self.images[index]
        picture = Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0))
        return self.transform(picture), int(self.labels[index])


def loaders(spec: RunSpec, places: Places) -> tuple[DataLoader[Any], DataLoader[Any]]:
    """Training and test images in batches, read and changed one by one."""
    dataset = catalog.DATASETS[spec.dataset]
    half = [0.5] * len(dataset.mean)
    mean, std = (half, half) if spec.normalization == "half" else (dataset.mean, dataset.std)
    plain = [transforms.ToTensor(), transforms.Normalize(mean, std)]
    cropped = [transforms.RandomCrop(dataset.shape[1:], padding=spec.crop_padding)] if spec.crop_padding else []
    flipped = [transforms.RandomHorizontalFlip()] if spec.flip == "horizontal" else []

    def part(train: bool, changes: list[Any]) -> Dataset[Any]:
        change = transforms.Compose(changes)
        if spec.dataset in TORCHVISION:
            found: Dataset[Any] = TORCHVISION[spec.dataset](str(places.datasets), train=train, transform=change)
            return found
        return Items(spec.dataset, places, train, change)

    batches = DataLoader(
        part(True, [*cropped, *flipped, *plain]), batch_size=spec.batch_size, shuffle=True, num_workers=WORKERS
    )
    return batches, DataLoader(part(False, plain), batch_size=1000, num_workers=WORKERS)


def epoch(recipe: Mapping[str, Any], places: Places, device: torch.device) -> tuple[float, float]:
    """Seconds of one epoch with its test, and the test accuracy after it; float32, whatever the recipe's precision."""
    spec = parse({**recipe, "epochs": 1})
    batches, tests = loaders(spec, places)
    net = loop.build(spec).to(device, memory_format=torch.contiguous_format)
    optimizer = torch.optim.Adam if spec.optimizer.name == "adam" else torch.optim.SGD
    knobs = {name: value for name, value in spec.optimizer.knobs.items() if name in ("lr", "momentum", "weight_decay")}
    steps = optimizer(net.parameters(), **knobs)
    distance = functional.nll_loss if catalog.MODELS[spec.model.name].log_probabilities else functional.cross_entropy
    began = time.perf_counter()
    for images, labels in batches:
        images, labels = images.to(device), labels.to(device)
        steps.zero_grad()
        loss = distance(net(images), labels)
        loss.backward()
        steps.step()
        loss.item()
    net.eval()
    right = total = 0
    with torch.no_grad():
        for images, labels in tests:
            right += int((net(images.to(device)).argmax(1) == labels.to(device)).sum())
            total += len(labels)
    return time.perf_counter() - began, right / total
