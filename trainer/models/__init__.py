"""Networks by their catalogue name."""

from collections.abc import Callable

from torch import nn

from trainer import catalog
from trainer.models.cnn import CNN
from trainer.models.fc import FC2Layer
from trainer.spec import RunSpec

_CLASSES: dict[str, Callable[..., nn.Module]] = {"fc": FC2Layer, "cnn": CNN}


def build(spec: RunSpec) -> nn.Module:
    """The spec's network with PyTorch's own initial weights, on the CPU. Seed torch before."""
    dataset = catalog.DATASETS[spec.dataset]
    return _CLASSES[spec.model.name](dataset.shape, len(dataset.classes), **spec.model.knobs)
