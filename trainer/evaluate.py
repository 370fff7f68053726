"""What a net says of a test set: loss, accuracy, and its answer to every image."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from trainer import forward
from trainer.loaded import LoadedData, Part
from trainer.spec import RunSpec

BATCH_SIZE = 1000
LARGE_BATCH_SIZE = 200  # of a net that takes long: a batch is how soon a stop is seen
LARGE = 1_000_000  # parameters


@dataclass(frozen=True)
class Tested:
    """A net's answers to the whole test set, or to some of it, in its order."""

    loss: float
    """Mean, in nats."""
    accuracy: float
    """As a fraction."""
    predicted: npt.NDArray[np.uint16]
    """The class of the highest probability, shape (N,)."""
    confidence: npt.NDArray[np.float32]
    """That probability, shape (N,)."""


def evaluate(
    spec: RunSpec, model: nn.Module, data: LoadedData, part: Part = "test", most: int | None = None
) -> Iterator[Tested | None]:
    """Yield None after each batch, then what the net said of all images of that part, or of at most `most`, evenly
    spaced."""
    stride = 1 if most is None else -(-len(data.labels_of(part)) // most)
    all_labels = data.labels_of(part)[::stride]
    model.eval()
    loss = torch.zeros((), dtype=torch.float64, device=data.device)
    answers: list[tuple[Tensor, Tensor]] = []  # (probability, class) of each image of a batch
    batch_size = BATCH_SIZE if spec.parameters < LARGE else LARGE_BATCH_SIZE
    for start in range(0, len(all_labels), batch_size):
        with torch.inference_mode():
            images, labels = data.batch_of(part, slice(start * stride, (start + batch_size) * stride, stride))
            given = forward.outputs(spec, model, images)
            loss += forward.loss(spec, given, labels, "sum").double()
            chosen = given.argmax(dim=1, keepdim=True)
            probabilities = given.softmax(dim=1)  # log-probabilities become probabilities as logits do
            answers.append((probabilities.gather(1, chosen)[:, 0], chosen[:, 0]))
        yield None
    model.train()
    confidence, predicted = (torch.cat(part) for part in zip(*answers, strict=True))
    size, right = len(all_labels), int((predicted == all_labels).sum())
    yield Tested(float(loss) / size, right / size, predicted.cpu().numpy().astype(np.uint16), confidence.cpu().numpy())
