"""What a net gives, in the spec's precision, and how far from the labels that is."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainer import catalog
from trainer.spec import RunSpec


def outputs(spec: RunSpec, model: nn.Module, images: Tensor) -> Tensor:
    """What the net gives for images (n, C, H, W): log-probabilities or logits, float32 (n, classes)."""
    if spec.precision == "float32":
        given: Tensor = model(images)
        return given
    with torch.autocast(images.device.type, getattr(torch, spec.precision)):
        given = model(images)
    return given.float()


def loss(spec: RunSpec, given: Tensor, labels: Tensor, reduction: str = "mean", smoothing: float = 0.0) -> Tensor:
    """Cross-entropy in nats of outputs (n, classes) for labels (n,); `smoothing`: a label's share for all classes."""
    if smoothing:  # log-probabilities may be given as logits: their own log-softmax is themselves
        return functional.cross_entropy(given, labels, reduction=reduction, label_smoothing=smoothing)
    if catalog.MODELS[spec.model.name].log_probabilities:
        return functional.nll_loss(given, labels, reduction=reduction)
    return functional.cross_entropy(given, labels, reduction=reduction)
